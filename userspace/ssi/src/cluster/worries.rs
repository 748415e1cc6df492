//! Why something doesn't go on, in plain words.

use std::fmt::Write;

use ssi_api::cluster::{ClusterView, MemberView, NodeState, Waiting};

use crate::node;
use crate::output;
use crate::units::{Clock, duration};

/// Seconds after which a node that is on its way is worth a word.
const LONG: u64 = 5;

/// Something that an operator has to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Worry {
    /// Tells it from others. Stays the same while durations in the text grow.
    pub(crate) key: String,
    /// What, in a line.
    pub(crate) text: String,
}

impl Worry {
    fn new(key: impl Into<String>, text: impl Into<String>) -> Self {
        Self {
            key: key.into(),
            text: text.into(),
        }
    }
}

/// What an operator has to know first, each a line, and an empty line after them.
pub(crate) fn text(view: &ClusterView, clock: &Clock, colour: bool) -> String {
    let worries = worries(view, clock);
    if worries.is_empty() {
        return String::new();
    }
    let (on, off) = if colour {
        ("\x1b[1;33m", "\x1b[0m")
    } else {
        ("", "")
    };
    let mut text = String::new();
    for worry in worries {
        let _ = writeln!(text, "{on}! {}{off}", output::plain(&worry.text));
    }
    text.push('\n');
    text
}

/// What keeps the cluster from going on, the worst first.
pub(crate) fn worries(view: &ClusterView, clock: &Clock) -> Vec<Worry> {
    let mut worries = Vec::new();
    worries.extend(out(view));
    if view.fenced {
        worries.push(Worry::new(
            "fenced",
            "this node is fenced: it holds no lease, so it has stopped everything that \
             others may do instead; it goes on by itself when it has a lease again",
        ));
    }
    worries.extend(view.waits_for.as_ref().map(|what| {
        let text = format!("waits for: {what}");
        Worry::new(text.clone(), text)
    }));
    if view.master.is_none() && view.incarnation.is_some() {
        worries.push(Worry::new(
            "no master",
            format!(
                "there is no master: nodes can neither come nor go until most of the voters \
                 agree on one (voters: {})",
                node::voters(view)
            ),
        ));
    }
    worries.extend(view.nodes.iter().filter_map(stalled));
    worries.extend(view.waiting.iter().map(|waiting| at_work(view, waiting)));
    if view.waiting.is_empty() {
        worries.extend(slow(view, clock));
    }
    worries
}

/// This node may be out.
fn out(view: &ClusterView) -> Option<Worry> {
    if view.incarnation.is_some() {
        return None;
    }
    let this = node::this(view);
    let state = this.map_or(NodeState::Down, |node| node.state);
    let why = this
        .and_then(|node| node.why.as_ref())
        .map_or_else(String::new, |why| format!(" ({why})"));
    Some(Worry::new(
        "out",
        format!(
            "this node is not in the cluster now, it is {state}{why}; what is shown is the \
             last that it knows. Back in: ssi rejoin"
        ),
    ))
}

fn stalled(node: &MemberView) -> Option<Worry> {
    let seconds = node.stalled?;
    Some(Worry::new(
        format!("stalled {}", node.number),
        format!(
            "node {}: its ssid has said nothing for {}, though its kernel answers; look \
             there: systemctl status ssid",
            node::name(node),
            duration(seconds)
        ),
    ))
}

fn at_work(view: &ClusterView, waiting: &Waiting) -> Worry {
    let subsystems = match waiting.subsystems.as_slice() {
        [] => "it has not answered".to_owned(),
        [one] => format!("{one} is at work"),
        some => format!("{} are at work", some.join(", ")),
    };
    let text = format!(
        "epoch {} is not finished: node {} has not taken it in; there, {subsystems}",
        view.epoch,
        node::called(view, waiting.node)
    );
    Worry::new(text.clone(), text)
}

/// Nodes that have been on their way for long. Only the master knows what they wait for.
fn slow(view: &ClusterView, clock: &Clock) -> Vec<Worry> {
    let hint = match view.master {
        Some(master) if master != view.node => {
            format!("; node {} knows why", node::called(view, master))
        }
        _ => String::new(),
    };
    view.nodes
        .iter()
        .filter(|node| {
            !matches!(
                node.state,
                NodeState::Up | NodeState::Down | NodeState::NeverUp
            )
        })
        .filter_map(|node| Some((node, node.since?)))
        .filter(|(_, since)| clock.age(*since) >= LONG)
        .map(|(node, since)| {
            let (name, state) = (node::name(node), node.state);
            Worry::new(
                format!("slow {} {state}", node.number),
                format!(
                    "node {name} has been {state} for {}{hint}",
                    clock.since(since)
                ),
            )
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::testing::{NOW, view};

    fn said(change: impl FnOnce(&mut ClusterView)) -> Vec<String> {
        let mut view = view();
        view.nodes[2].stalled = None;
        change(&mut view);
        worries(&view, &Clock::utc(NOW))
            .into_iter()
            .map(|worry| worry.text)
            .collect()
    }

    #[test]
    fn all_is_well() {
        assert!(said(|_| {}).is_empty());
    }

    #[test]
    fn the_worst_first() {
        let said = said(|view| {
            view.incarnation = None;
            view.nodes[1].state = NodeState::Down;
            view.nodes[1].why = Some("put out by an operator".to_owned());
            view.fenced = true;
            view.waits_for = Some("node 1 or the witness".to_owned());
            view.master = None;
            view.nodes[2].stalled = Some(75);
        });
        assert_eq!(said.len(), 4, "{said:#?}");
        assert_eq!(
            said[0],
            "this node is not in the cluster now, it is DOWN (put out by an operator); what is \
             shown is the last that it knows. Back in: ssi rejoin"
        );
        assert!(said[1].starts_with("this node is fenced"));
        assert_eq!(said[2], "waits for: node 1 or the witness");
        assert!(said[3].contains("for 1 min 15 s"));
    }

    #[test]
    fn nobody_leads() {
        let said = said(|view| view.master = None);
        assert!(
            said[0].ends_with("(voters: 1 blue1, 2 blue2, the witness at 10.9.9.9:7118)"),
            "{said:#?}"
        );
    }

    #[test]
    fn who_has_not_taken_it_in() {
        let said = said(|view| {
            let waiting = |node, subsystems: &[&str]| Waiting {
                node,
                subsystems: subsystems.iter().map(ToString::to_string).collect(),
            };
            view.waiting = vec![
                waiting(1, &[]),
                waiting(2, &["lvs"]),
                waiting(3, &["ics", "cvip"]),
            ];
        });
        assert_eq!(
            said,
            [
                "epoch 12 is not finished: node 1 blue1 has not taken it in; there, it has not answered",
                "epoch 12 is not finished: node 2 blue2 has not taken it in; there, lvs is at work",
                "epoch 12 is not finished: node 3 blue3 has not taken it in; there, ics, cvip are at work",
            ]
        );
    }

    #[test]
    fn on_its_way_for_long() {
        let said = said(|view| {
            view.nodes[3].state = NodeState::UCleanup;
            view.nodes[2].state = NodeState::ComingUp;
            view.nodes[2].since = Some(NOW - 4);
        });
        assert_eq!(
            said,
            ["node 4 blue4 has been UCLEANUP for 40 s; node 1 blue1 knows why"]
        );
    }
}
