use clap::Args;
use ssi_api::cluster::ClusterRequest;

use crate::args::Common;
use crate::cluster;
use crate::fail::Fail;
use crate::help;
use crate::patience::patiently;

/// Come back into the cluster that this node left
///
/// With its old number and a new incarnation; no token is needed. Returns when the node
/// is UP.
#[derive(Debug, Args)]
#[command(after_long_help = help::lesson("\
  ssi rejoin                     after ssi leave"))]
pub(crate) struct Options {}

pub(crate) fn run(_: &Options, common: &Common) -> Result<(), Fail> {
    let mut client = common.connect()?;
    patiently("ssi rejoin: still waiting for the cluster", common, || {
        cluster::member(&mut client, ClusterRequest::Rejoin).map(drop)
    })
}
