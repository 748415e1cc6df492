use clap::Args;
use ssi_api::cluster::{ClusterRequest, ClusterView, NodeState};

use super::owned;
use crate::args::Common;
use crate::ask::Consent;
use crate::cluster;
use crate::fail::Fail;
use crate::help;
use crate::node;
use crate::patience::patiently;

/// Leave the cluster; ssi rejoin comes back
///
/// What this node owns goes to others first. It keeps its number and its key. Returns when
/// the node is out. On a terminal it asks first.
#[derive(Debug, Args)]
#[command(after_long_help = help::lesson("\
  ssi leave                      before maintenance
  ssi leave --yes && systemctl stop ssid"))]
pub(crate) struct Options {
    #[command(flatten)]
    consent: Consent,
}

pub(crate) fn run(options: &Options, common: &Common) -> Result<(), Fail> {
    let mut client = common.connect()?;
    let view = cluster::show(&mut client)?;
    options.consent.ask(&what(&view))?;
    patiently("ssi leave: still leaving", common, || {
        cluster::done(&mut client, ClusterRequest::Leave)
    })
}

fn what(view: &ClusterView) -> String {
    let mut what = format!(
        "this node, {}, leaves cluster {}; it keeps its number, and ssi rejoin brings it back",
        node::called(view, view.node),
        view.name
    );
    let others = view
        .nodes
        .iter()
        .filter(|node| node.state == NodeState::Up && node.number != view.node)
        .count();
    let owned = node::this(view).and_then(|this| owned(view, this));
    match (owned, others) {
        (_, 0) => what.push_str("; no node is left in the cluster then"),
        (Some(owned), _) => what.push_str(&format!("; others get what it owns: {owned}")),
        (None, _) => {}
    }
    what
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::testing::view;

    #[test]
    fn what_leaving_means() {
        let mut view = view();
        assert_eq!(
            what(&view),
            "this node, 2 blue2, leaves cluster blue; it keeps its number, and ssi rejoin brings \
             it back; others get what it owns: cvip 10.88.0.100"
        );
        for node in [0, 2] {
            view.nodes[node].state = NodeState::Down;
        }
        assert!(what(&view).ends_with("no node is left in the cluster then"));
    }
}
