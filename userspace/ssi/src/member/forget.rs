use clap::Args;
use ssi_api::cluster::ClusterRequest;

use crate::args::Common;
use crate::ask::Consent;
use crate::cluster;
use crate::fail::Fail;
use crate::help;
use crate::node::{self, Node};
use crate::patience::patiently;

/// Forget a node that is DOWN: its number is free, its key is worth nothing
///
/// If it shall come back, it needs a token again. On a terminal it asks first.
#[derive(Debug, Args)]
#[command(after_long_help = help::lesson("\
  ssi forget 4
  ssi forget blue4 --yes"))]
pub(crate) struct Options {
    /// Number or name of the node
    node: Node,
    #[command(flatten)]
    consent: Consent,
}

pub(crate) fn run(options: &Options, common: &Common) -> Result<(), Fail> {
    let mut client = common.connect()?;
    let view = cluster::show(&mut client)?;
    let node = options.node.find(&view)?;
    let number = node.number;
    options.consent.ask(&format!(
        "node {} is forgotten by cluster {}: its number is free for others, its key is worth \
         nothing; to come back it needs a token (it is {} now)",
        node::name(node),
        view.name,
        node.state
    ))?;
    patiently("ssi forget: still waiting for the master", common, || {
        cluster::done(&mut client, ClusterRequest::Forget { number })
    })
}
