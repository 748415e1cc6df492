use clap::Args;
use ssi_api::cluster::ClusterRequest;

use crate::args::Common;
use crate::ask::Consent;
use crate::cluster;
use crate::fail::Fail;
use crate::help;
use crate::node::{self, Node};
use crate::patience::patiently;

/// Say that a node is surely off, so that nothing more is waited for
///
/// When two nodes lose each other, neither can know whether the other still runs; the
/// cluster waits until somebody does. Say it only if you have switched the node off, or
/// see that it is: if it still runs, two nodes act for the same addresses and services,
/// and data may be destroyed. On a terminal it asks first.
#[derive(Debug, Args)]
#[command(after_long_help = help::lesson("\
  ssi fenced 1                   after its plug was pulled
  ipmitool -H blue1-ilo … power off && ssi fenced blue1 --yes"))]
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
    let name = node::name(node);
    options.consent.ask(&format!(
        "you say that node {name} is surely off: what it had goes to others without waiting \
         for its leases; if it still runs, two nodes act for the same things",
    ))?;
    patiently("ssi fenced: still waiting for the others", common, || {
        cluster::done(&mut client, ClusterRequest::Fenced { number })
    })
}
