use std::time::{Duration, Instant};

use clap::Args;
use ssi_api::cluster::{ClusterRequest, ClusterView, NodeState};
use ssi_api::control::Client;
use ssi_api::service::ServiceRequest;

use super::owned;
use crate::args::Common;
use crate::ask::Consent;
use crate::cluster;
use crate::drain::until_empty;
use crate::fail::Fail;
use crate::help;
use crate::node;
use crate::output;
use crate::patience::patiently;
use crate::service;

/// Leave the cluster; ssi rejoin comes back
///
/// What is kept alive here goes to others first, as `ssi drain` does it, and then what this node
/// owns. It keeps its number and its key. Returns when the node is out. On a terminal it asks
/// first.
#[derive(Debug, Args)]
#[command(after_long_help = help::lesson("\
  ssi leave                      before maintenance
  ssi leave --yes && systemctl stop ssid"))]
pub(crate) struct Options {
    #[command(flatten)]
    consent: Consent,
    /// How long what is kept alive here may take to go elsewhere; 0: it is not waited for
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    drain: u64,
}

pub(crate) fn run(options: &Options, common: &Common) -> Result<(), Fail> {
    let mut client = common.connect()?;
    let view = cluster::show(&mut client)?;
    options.consent.ask(&what(&view))?;
    let others = view.nodes.iter();
    let mut others = others.filter(|node| node.number != view.node);
    let drains = options.drain > 0 && others.any(|node| node.state == NodeState::Up);
    let drained = drains && empty(&mut client, &view, options.drain, common)?;
    let left = patiently("ssi leave: still leaving", common, || {
        cluster::done(&mut client, ClusterRequest::Leave)
    });
    if left.is_err() && drained {
        // It stays, and is of use again. Why it stays is the more important word.
        let _ = drain(&mut client, view.node, true);
    }
    left
}

fn drain(client: &mut Client, node: u16, undo: bool) -> Result<(), Fail> {
    let leaving = !undo;
    let request = ServiceRequest::Drain {
        node,
        undo,
        leaving,
    };
    service::change(client, request).map(drop)
}

/// Has what is kept alive here go elsewhere, and says what doesn't; whether there was
/// anything, and this node was not being drained already.
fn empty(
    client: &mut Client,
    view: &ClusterView,
    seconds: u64,
    common: &Common,
) -> Result<bool, Fail> {
    let node = view.node;
    let services = service::fetch(client, &[])?;
    if !services.instances.iter().any(|i| i.node == Some(node)) {
        return Ok(false);
    }
    drain(client, node, false)?;
    let until = Some(Instant::now() + Duration::from_secs(seconds));
    let left = patiently("ssi leave: this node still runs something", common, || {
        until_empty(client, node, until)
    })?;
    for instance in &left {
        let name = service::name(instance);
        let line = format!(
            "{name} has not gone elsewhere within {seconds} s, and ends when this node leaves: {}",
            instance.why
        );
        eprintln!("{}", output::plain(&line));
    }
    Ok(!services.drained.contains(&node))
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
