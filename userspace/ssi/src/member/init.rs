use clap::Args;
use ssi_api::cluster::ClusterRequest;

use super::number;
use crate::args::Common;
use crate::cluster;
use crate::fail::Fail;
use crate::help;
use crate::output::{self, Format};
use crate::patience::patiently;

/// Found a cluster of this node alone
///
/// The node becomes number 1, or the one that is said, and the cluster's first master;
/// the cluster's certificates are made here. Others come with ssi token and ssi join.
#[derive(Debug, Args)]
#[command(after_long_help = help::lesson("\
  ssi init blue
  ssi init blue --number 3       the node had that number in /etc/clustertab"))]
pub(crate) struct Options {
    /// The cluster's name
    name: String,
    /// This node's number [default: 1]
    #[arg(long, value_name = "N", value_parser = number)]
    number: Option<u16>,
}

pub(crate) fn run(options: &Options, common: &Common) -> Result<(), Fail> {
    let name = options.name.trim().to_owned();
    let mut client = common.connect()?;
    let number = patiently("ssi init: still founding", common, || {
        let request = ClusterRequest::Init {
            name: name.clone(),
            number: options.number,
        };
        cluster::member(&mut client, request)
    })?;
    let text = match common.output {
        Format::Json => output::json(&[("cluster", &name), ("number", &number)]),
        _ => format!(
            "this is node {number} of cluster {}; others join with what this prints: ssi token\n",
            output::plain(&name)
        ),
    };
    Ok(output::print(&text)?)
}
