use clap::Args;

use crate::args::Common;
use crate::cluster;
use crate::fail::Fail;
use crate::help;
use crate::output::{self, Format};

/// Traditional: the cluster's name
#[derive(Debug, Args)]
#[command(after_long_help = help::lesson("\
  ssi clustername"))]
pub(crate) struct Options {}

pub(crate) fn run(_: &Options, common: &Common) -> Result<(), Fail> {
    let name = cluster::show(&mut common.connect()?)?.name;
    let text = match common.output {
        Format::Json => output::json(&[("name", &name)]),
        _ => format!("{}\n", output::plain(&name)),
    };
    Ok(output::print(&text)?)
}
