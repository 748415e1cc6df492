use clap::Args;
use ssi_api::cluster::{ClusterRequest, ClusterView, MemberView};

use super::owned;
use crate::args::Common;
use crate::ask::Consent;
use crate::cluster;
use crate::fail::Fail;
use crate::help;
use crate::node::{self, Node};
use crate::patience::patiently;

/// Put a node out of the cluster
///
/// For a node that misbehaves and can't leave by itself: the others shut it out at once,
/// and what it owned goes to them when it can hold no lease any more. If the node itself
/// can still be reached, ssi leave there is the better way. On a terminal it asks first.
#[derive(Debug, Args)]
#[command(after_long_help = help::lesson("\
  ssi evict 3
  ssi evict blue3 --yes"))]
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
    options.consent.ask(&what(&view, node))?;
    patiently("ssi evict: still waiting for the master", common, || {
        cluster::done(&mut client, ClusterRequest::Evict { number })
    })
}

fn what(view: &ClusterView, node: &MemberView) -> String {
    let this = if node.number == view.node {
        ", this one,"
    } else {
        ""
    };
    let owned = owned(view, node).map_or_else(String::new, |owned| {
        format!("; when it can hold no lease any more, others get what it owns: {owned}")
    });
    format!(
        "node {}{this} is put out of cluster {}: no member hears it any more{owned}",
        node::name(node),
        view.name
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::testing::view;

    #[test]
    fn what_putting_out_means() {
        let view = view();
        assert_eq!(
            what(&view, &view.nodes[2]),
            "node 3 blue3 is put out of cluster blue: no member hears it any more"
        );
        assert_eq!(
            what(&view, &view.nodes[1]),
            "node 2 blue2, this one, is put out of cluster blue: no member hears it any more; \
             when it can hold no lease any more, others get what it owns: cvip 10.88.0.100"
        );
    }
}
