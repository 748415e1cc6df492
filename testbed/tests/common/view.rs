//! What nodes say of their cluster, asked where `ssi cluster` asks: each node's own `ssid`.

use std::thread;
use std::time::{Duration, Instant};

use ssi_api::cluster::{ClusterRequest, ClusterView, Event, MemberView, NodeState, ResourceView};
use ssi_api::control::{Client, DEFAULT_SOCKET, Reply, Request};
use ssi_testbed::plan::Machine;
use ssi_testbed::{form, state};

/// How often it is asked.
const LOOK: Duration = Duration::from_millis(10);
/// How long nodes may take to be all well.
const PATIENCE: Duration = Duration::from_secs(40);

/// The view that a node goes by; none if it is in no cluster, or doesn't answer.
pub fn of(node: u8) -> Option<ClusterView> {
    form::view(&state::load().ok()??, Machine::Node(node))
}

/// The transitions that a node has seen since `epoch`, in order.
pub fn history(node: u8, since: u64) -> Vec<Event> {
    let state = state::running().expect("a cluster");
    let init = state.init_of(Machine::Node(node)).expect("it is up");
    let socket = format!("/proc/{init}/root{DEFAULT_SOCKET}");
    let mut client = Client::connect(socket.as_ref(), Duration::from_secs(5)).expect("it answers");
    let reply = client.request(Request::Cluster(ClusterRequest::History));
    let Ok(Reply::History(mut events)) = reply else {
        panic!("node {node} tells no history: {reply:?}");
    };
    events.retain(|event| event.epoch > since);
    events
}

/// Who directs the cluster's IPv4 address in a view.
pub fn director(view: &ClusterView) -> Option<u8> {
    let mut owned = view.resources.iter();
    let cvip = owned.find(|owned| owned.name == "cvip 10.88.0.100")?;
    u8::try_from(cvip.owner?).ok()
}

/// A node in a view.
pub fn member(view: &ClusterView, node: u8) -> Option<&MemberView> {
    view.nodes
        .iter()
        .find(|member| member.number == u16::from(node))
}

/// Whether a node is UP in a view.
pub fn up(view: &ClusterView, node: u8) -> bool {
    member(view, node).is_some_and(|member| member.state == NodeState::Up)
}

/// Whether a node takes no part in a view: it is out, whether cleaned up after or not.
pub fn out(view: &ClusterView, node: u8) -> bool {
    member(view, node).is_none_or(|member| {
        matches!(
            member.state,
            NodeState::KCleanup | NodeState::UCleanup | NodeState::Down
        )
    })
}

/// What is agreed in a view: all but what the node says of itself, and of its own clock.
pub fn agreed(view: &ClusterView) -> ClusterView {
    let mut view = view.clone();
    (view.node, view.incarnation) = (0, None);
    (view.fenced, view.waits_for) = (false, None);
    view.waiting.clear();
    for member in &mut view.nodes {
        (member.since, member.stalled) = (None, None);
    }
    view
}

/// Waits until all of `nodes` go by one and the same view, act, and `is_there`; that view.
#[track_caller]
pub fn wait(nodes: &[u8], what: &str, is_there: impl Fn(&ClusterView) -> bool) -> ClusterView {
    let end = Instant::now() + PATIENCE;
    loop {
        let views: Vec<_> = nodes.iter().map(|node| of(*node)).collect();
        let all: Vec<_> = views
            .iter()
            .flatten()
            .filter(|view| !view.fenced && view.incarnation.is_some())
            .collect();
        if all.len() == nodes.len() && all.iter().all(|view| is_there(view)) {
            let first = agreed(all[0]);
            // At another epoch it is on its way.
            if all.iter().all(|view| view.epoch == first.epoch) {
                for view in all {
                    assert_eq!(agreed(view), first, "two views at one epoch");
                }
                return first;
            }
        }
        assert!(
            Instant::now() < end,
            "{what}: not within {PATIENCE:?}:{}",
            nodes.iter().zip(&views).map(in_short).collect::<String>()
        );
        thread::sleep(LOOK);
    }
}

/// A node's view in a line.
fn in_short((node, view): (&u8, &Option<ClusterView>)) -> String {
    let Some(view) = view else {
        return format!("\n  node {node} does not answer, or is in no cluster");
    };
    let member = |m: &MemberView| format!(" {}.{} {}", m.number, m.incarnation, m.state);
    let held = |r: &ResourceView| format!(", {}: {:?}", r.name, r.owner);
    format!(
        "\n  node {node}: life {:?}, fenced {}, epoch {}, master {:?}, voters {:?}, waits for {:?} {:?},{}{}",
        view.incarnation,
        view.fenced,
        view.epoch,
        view.master,
        view.voters,
        view.waits_for,
        view.waiting,
        view.nodes.iter().map(member).collect::<String>(),
        view.resources.iter().map(held).collect::<String>(),
    )
}

/// Waits until `nodes`, and nobody else, are UP, own all there is to own, and nothing is
/// left to do.
#[track_caller]
pub fn settled(nodes: &[u8]) -> ClusterView {
    wait(nodes, "all is well", |view| {
        let owned = |owner: Option<u16>| {
            owner.is_some_and(|owner| u8::try_from(owner).is_ok_and(|owner| nodes.contains(&owner)))
        };
        view.nodes.iter().all(|member| {
            let is_wanted = u8::try_from(member.number).is_ok_and(|n| nodes.contains(&n));
            member.state
                == if is_wanted {
                    NodeState::Up
                } else {
                    NodeState::Down
                }
        }) && nodes.iter().all(|node| up(view, *node))
            && !view.resources.is_empty()
            && view.resources.iter().all(|resource| owned(resource.owner))
            && view.waiting.is_empty()
    })
}
