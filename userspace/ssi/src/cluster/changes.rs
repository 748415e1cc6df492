//! What changed between two looks, a line each.

use std::collections::BTreeMap;
use std::fmt::Write;

use ssi_api::cluster::{ClusterView, Event};

use super::{Seen, worries};
use crate::node;
use crate::output;
use crate::units::Clock;

/// What is new in `now`, each line with its time; nothing if nothing is.
pub(crate) fn lines(before: &Seen, now: &Seen, clock: &Clock) -> String {
    let mut text = String::new();
    let mut say = |time: String, what: &str| {
        let _ = writeln!(text, "{time}  {}", output::plain(what));
    };
    for event in new_events(before, now) {
        say(clock.time_of(event.at), &transition(&now.view, event));
    }
    for what in differences(before, now)
        .into_iter()
        .chain(new_worries(before, now, clock))
    {
        say(clock.time(), &what);
    }
    text
}

/// Transitions after the epoch that was seen before.
fn new_events<'a>(before: &Seen, now: &'a Seen) -> impl Iterator<Item = &'a Event> {
    let seen = before
        .events
        .iter()
        .map(|event| event.epoch)
        .fold(before.view.epoch, u64::max);
    // A node that has moved to another cluster counts from its beginning.
    let other = before.view.identity != now.view.identity;
    now.events
        .iter()
        .filter(move |event| other || event.epoch > seen)
}

fn transition(view: &ClusterView, event: &Event) -> String {
    let why = event
        .why
        .as_ref()
        .map_or_else(String::new, |why| format!(" ({why})"));
    format!(
        "epoch {}: node {}: {} -> {}{why}",
        event.epoch,
        node::called(view, event.node),
        event.from,
        event.to
    )
}

fn differences(before: &Seen, now: &Seen) -> Vec<String> {
    let (old, new) = (&before.view, &now.view);
    let mut lines = Vec::new();
    if old.identity != new.identity {
        lines.push(format!("another cluster: {}", new.name));
    }
    let told: Vec<u16> = new_events(before, now).map(|event| event.node).collect();
    let states: BTreeMap<_, _> = old.nodes.iter().map(|n| (n.number, n.state)).collect();
    for node in &new.nodes {
        let state = states.get(&node.number);
        if state != Some(&node.state) && !told.contains(&node.number) {
            let name = node::name(node);
            lines.push(match state {
                Some(from) => format!("node {name}: {from} -> {}", node.state),
                None => format!("node {name}: {}", node.state),
            });
        }
    }
    for node in &old.nodes {
        if new.nodes.iter().all(|kept| kept.number != node.number) {
            lines.push(format!("node {} is forgotten", node::name(node)));
        }
    }
    let master = |view: &ClusterView| {
        view.master
            .map_or_else(|| "none".to_owned(), |n| node::called(view, n))
    };
    if old.master != new.master {
        lines.push(format!("master: {} -> {}", master(old), master(new)));
    }
    if old.voters != new.voters {
        lines.push(format!("voters: {}", node::voters(new)));
    }
    match (&old.witness, &new.witness) {
        (old, new) if old == new => {}
        (_, Some(witness)) => lines.push(format!("witness: {}", witness.address)),
        (_, None) => lines.push("witness: none".to_owned()),
    }
    lines.extend(owners(old, new));
    lines
}

fn owners(old: &ClusterView, new: &ClusterView) -> Vec<String> {
    let owner = |view: &ClusterView, owner: Option<u16>| {
        owner.map_or_else(|| "nobody".to_owned(), |n| node::called(view, n))
    };
    new.resources
        .iter()
        .filter_map(|now| {
            let before = old.resources.iter().find(|was| was.name == now.name);
            let was = before.and_then(|was| was.owner);
            (was != now.owner).then(|| {
                format!(
                    "{}: {} -> {}",
                    now.name,
                    owner(old, was),
                    owner(new, now.owner)
                )
            })
        })
        .collect()
}

/// Worries that were not there, and a word when the last of them has gone.
fn new_worries(before: &Seen, now: &Seen, clock: &Clock) -> Vec<String> {
    let old = worries::worries(&before.view, clock);
    let new = worries::worries(&now.view, clock);
    if new.is_empty() && !old.is_empty() {
        return vec!["all is well again".to_owned()];
    }
    new.into_iter()
        .filter(|worry| old.iter().all(|known| known.key != worry.key))
        .map(|worry| format!("! {}", worry.text))
        .collect()
}

#[cfg(test)]
mod tests {
    use ssi_api::cluster::NodeState;

    use super::*;
    use crate::cluster::testing::{NOW, history, view};

    fn seen() -> Seen {
        let mut view = view();
        view.nodes[2].stalled = None;
        Seen {
            view,
            events: history(),
        }
    }

    fn said(before: &Seen, now: &Seen) -> String {
        lines(before, now, &Clock::utc(NOW + 2))
    }

    #[test]
    fn nothing_new() {
        assert_eq!(said(&seen(), &seen()), "");
    }

    #[test]
    fn a_node_dies_and_another_leads() {
        let (before, mut now) = (seen(), seen());
        now.view.epoch = 14;
        now.view.nodes[0].state = NodeState::KCleanup;
        now.view.nodes[0].since = Some(NOW + 1);
        now.view.master = Some(2);
        now.view.voters = vec![2, 3];
        now.view.resources[0].owner = Some(3);
        now.view.nodes[2].stalled = Some(3);
        now.events.push(Event {
            epoch: 13,
            at: NOW + 1,
            node: 1,
            incarnation: 1,
            from: NodeState::Up,
            to: NodeState::KCleanup,
            why: Some("no answer".to_owned()),
        });
        assert_eq!(
            said(&before, &now),
            "\
03:46:41  epoch 13: node 1 blue1: UP -> KCLEANUP (no answer)
03:46:42  master: 1 blue1 -> 2 blue2
03:46:42  voters: 2 blue2, 3 blue3, the witness at 10.9.9.9:7118
03:46:42  cvip 10.88.0.100: 2 blue2 -> 3 blue3
03:46:42  ! node 3 blue3: its ssid has said nothing for 3 s, though its kernel answers; look there: systemctl status ssid
"
        );
        let mut later = seen();
        later.view = now.view.clone();
        later.events = now.events.clone();
        later.view.nodes[2].stalled = Some(4);
        assert_eq!(said(&now, &later), "", "the same worry, a second older");
        later.view.nodes[2].stalled = None;
        assert_eq!(said(&now, &later), "03:46:42  all is well again\n");
    }

    #[test]
    fn what_no_event_tells() {
        let (before, mut now) = (seen(), seen());
        now.view.nodes[3].state = NodeState::ComingUp;
        now.view.nodes.remove(0);
        now.view.witness = None;
        now.view.master = Some(2);
        assert_eq!(
            said(&before, &now),
            "\
03:46:42  node 4 blue4: DOWN -> COMINGUP
03:46:42  node 1 blue1 is forgotten
03:46:42  master: 1 blue1 -> 2 blue2
03:46:42  witness: none
03:46:42  ! node 4 blue4 has been COMINGUP for 42 s
"
        );
    }

    #[test]
    fn another_cluster() {
        let (before, mut now) = (seen(), seen());
        now.view.identity = "1".to_owned();
        now.view.name = "green".to_owned();
        now.view.epoch = 1;
        now.events.drain(1..);
        let said = said(&before, &now);
        assert!(said.contains("epoch 10: node 4"), "{said}");
        assert!(said.contains("another cluster: green"), "{said}");
    }
}
