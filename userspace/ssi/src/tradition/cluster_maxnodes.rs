use clap::Args;

use crate::args::Common;
use crate::cluster;
use crate::fail::Fail;
use crate::help;
use crate::output::{self, Format};

/// Traditional: how many nodes the cluster can have, and so the largest number
#[derive(Debug, Args)]
#[command(after_long_help = help::lesson("\
  ssi cluster_maxnodes
  for n in $(seq $(ssi cluster_maxnodes)); do …"))]
pub(crate) struct Options {}

pub(crate) fn run(_: &Options, common: &Common) -> Result<(), Fail> {
    let view = cluster::show(&mut common.connect()?)?;
    let max = view.max_nodes.ok_or_else(|| {
        Fail::Failed("ssid does not say; is it of the same version as ssi?".to_owned())
    })?;
    let text = match common.output {
        Format::Json => output::json(&[("max_nodes", &max)]),
        _ => format!("{max}\n"),
    };
    Ok(output::print(&text)?)
}
