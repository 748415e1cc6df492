use clap::Args;

use crate::args::Common;
use crate::cluster;
use crate::fail::Fail;
use crate::help;
use crate::output::{self, Format};

/// Traditional: this node's number
#[derive(Debug, Args)]
#[command(after_long_help = help::lesson("\
  ssi clusternode_num"))]
pub(crate) struct Options {}

pub(crate) fn run(_: &Options, common: &Common) -> Result<(), Fail> {
    let number = cluster::show(&mut common.connect()?)?.node;
    let text = match common.output {
        Format::Json => output::json(&[("number", &number)]),
        _ => format!("{number}\n"),
    };
    Ok(output::print(&text)?)
}
