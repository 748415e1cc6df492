//! What goes wrong in a round, and when: by chance, that a seed repeats.

use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

use super::random::Random;
use super::services::NODES;

/// Something that is done to the cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// A node crashes; it is switched on again when the round is over.
    Crash(u8),
    /// A node's `ssid` is killed.
    Kill(u8),
    /// It stands still.
    Stop(u8),
    /// It goes on.
    Go(u8),
    /// Some nodes are cut off from the others.
    Cut(BTreeSet<u8>),
    /// No cut is any more.
    Heal,
    /// A node's disk is full.
    Fill(u8),
    /// It has room again.
    Empty(u8),
    /// Main processes of services are killed: those that these numbers hit.
    Murder(Vec<u64>),
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Crash(node) => write!(f, "node {node} crashes"),
            Self::Kill(node) => write!(f, "ssid {node} is killed"),
            Self::Stop(node) => write!(f, "ssid {node} is stopped"),
            Self::Go(node) => write!(f, "ssid {node} goes on"),
            Self::Cut(nodes) => write!(f, "nodes {nodes:?} are cut off"),
            Self::Heal => f.write_str("the cuts are healed"),
            Self::Fill(node) => write!(f, "disk {node} is full"),
            Self::Empty(node) => write!(f, "disk {node} has room"),
            Self::Murder(which) => write!(f, "{} processes are killed", which.len()),
        }
    }
}

/// The steps of a round, each with its moment since the round began.
pub(crate) type Plan = Vec<(Duration, Step)>;

/// How many kinds of trouble there are.
const KINDS: u64 = 8;

/// A round: one to three troubles, which may overlap.
pub(crate) fn plan(random: &mut Random) -> Plan {
    let mut plan = Vec::new();
    let mut crashes = 0;
    for _ in 0..=random.below(3) {
        let begin = random.below(2_000);
        let long = 300 + random.below(4_000);
        let node = u8::try_from(random.below(u64::from(NODES))).expect("five") + 1;
        let mut add = |at: u64, step| plan.push((Duration::from_millis(at), step));
        match random.below(KINDS) {
            // A majority stays.
            0 | 1 if crashes < 2 => {
                crashes += 1;
                add(begin, Step::Crash(node));
            }
            0..=2 => {
                // Once, or again as soon as the next one is there.
                for again in 0..=random.below(3) {
                    add(begin + again * 1_100, Step::Kill(node));
                }
            }
            3 => {
                add(begin, Step::Stop(node));
                add(begin + long, Step::Go(node));
            }
            4 => {
                let mut nodes = BTreeSet::from([node]);
                if random.below(2) == 0 {
                    nodes.insert(node % NODES + 1);
                }
                add(begin, Step::Cut(nodes));
                add(begin + long, Step::Heal);
            }
            // Cut off while nobody supervises: stopped, or dead.
            5 => {
                let stopped = random.below(2) == 0;
                add(
                    begin,
                    if stopped {
                        Step::Stop(node)
                    } else {
                        Step::Kill(node)
                    },
                );
                add(begin + 50, Step::Cut(BTreeSet::from([node])));
                let end = begin + 2_000 + long;
                if random.below(2) == 0 {
                    add(end, Step::Heal);
                    add(end + 200, Step::Go(node));
                } else {
                    add(end, Step::Go(node));
                    add(end + 700, Step::Heal);
                }
            }
            6 => {
                add(begin, Step::Fill(node));
                if random.below(2) == 0 {
                    add(begin + long / 2, Step::Kill(node));
                }
                add(begin + long, Step::Empty(node));
            }
            _ => {
                let which = (0..5 + random.below(20)).map(|_| random.next()).collect();
                add(begin, Step::Murder(which));
            }
        }
    }
    plan.sort_by_key(|(at, _)| *at);
    plan
}
