//! What all nodes agree on, whatever is applied, in whatever order: the same entries make the
//! same state, what is written down is read back, and nothing ever runs twice.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use proptest::collection::vec;
use proptest::prelude::*;
use ssi_keepalive::Node;
use ssi_keepalive::agreed::{Agreed, Change, Duty, Entry, MOST_TEXT, parts};
use ssi_keepalive::core::Id;
use ssi_keepalive::placement::{Life, Member, Move, Outlook, Outlooks, Presence, Slot};

const NODES: u16 = 4;
const NAMES: [&str; 4] = ["a", "b", "c", "d"];
const GROUP: &str = "g";

fn node(number: u16) -> Node {
    Node::new(number).unwrap()
}

/// Whatever was moved is ready.
struct Ready(BTreeMap<Slot, Life>);

impl Outlooks for Ready {
    fn of(&self, _: &Slot, _: Life) -> Outlook {
        Outlook::Ready
    }

    fn moved(&self) -> &BTreeMap<Slot, Life> {
        &self.0
    }
}

/// What happens.
#[derive(Clone, Debug)]
enum Happening {
    Put {
        name: usize,
        how: usize,
        only: bool,
    },
    PutGroup {
        members: u8,
    },
    Remove {
        name: usize,
        abandon: bool,
    },
    Stop {
        name: usize,
        stopped: bool,
    },
    Drain {
        node: u16,
        drained: bool,
    },
    /// The master plans, and all of it is written.
    Plan,
    /// A node does what it is to do, and says so.
    Act(u16),
    Lost(u16),
    Gone(u16),
    Back(u16),
}

fn happening() -> impl Strategy<Value = Happening> {
    let node = 1..=NODES;
    prop_oneof![
        3 => (0..4_usize, 0..7_usize, prop::bool::weighted(0.1))
            .prop_map(|(name, how, only)| Happening::Put { name, how, only }),
        2 => (0..16_u8).prop_map(|members| Happening::PutGroup { members }),
        2 => (0..5_usize, any::<bool>()).prop_map(|(name, abandon)| Happening::Remove { name, abandon }),
        2 => (0..4_usize, any::<bool>()).prop_map(|(name, stopped)| Happening::Stop { name, stopped }),
        1 => (node.clone(), any::<bool>()).prop_map(|(node, drained)| Happening::Drain { node, drained }),
        8 => Just(Happening::Plan),
        8 => node.clone().prop_map(Happening::Act),
        1 => node.clone().prop_map(Happening::Lost),
        2 => node.clone().prop_map(Happening::Gone),
        2 => node.prop_map(Happening::Back),
    ]
}

fn process(name: &str, how: usize) -> String {
    let how = [
        "",
        "favoured = 1\nbackup = \"any\"",
        "favoured = \"all\"",
        "instances = 2",
        "favoured = 2\nbackup = [3]\nfailback = true",
        "enabled = false",
        "favoured = 3\nbackup = \"any\"\noverlap = true",
    ][how];
    format!("[[process]]\nname = \"{name}\"\npath = \"/bin/{name}\"\n{how}\n")
}

/// The nodes, and what they really run.
struct World {
    agreed: Agreed,
    other: Agreed,
    members: Vec<Member>,
    runs: BTreeMap<Id, BTreeSet<Life>>,
}

impl World {
    fn new() -> Self {
        let member = |number| Member {
            id: Life {
                node: node(number),
                life: 1,
            },
            presence: Presence::Up,
            load: 0,
            root: number == 1,
        };
        Self {
            agreed: Agreed::default(),
            other: Agreed::default(),
            members: (1..=NODES).map(member).collect(),
            runs: BTreeMap::new(),
        }
    }

    fn apply(&mut self, entry: &Entry) {
        let bytes = entry.encode();
        let again = Entry::decode(&bytes).unwrap();
        assert_eq!(&again, entry);
        let said = self.agreed.apply(entry);
        assert_eq!(said, self.other.apply(&again));
        assert_eq!(self.agreed, self.other);
        // A node that lacks entries takes the state over.
        self.other = Agreed::import(&self.agreed.export().unwrap()).unwrap();
        assert_eq!(self.agreed, self.other);
        for id in said.map(|news| news.abandon).unwrap_or_default() {
            self.runs.remove(&id);
        }
    }

    fn known(&self) -> Vec<Member> {
        let mut members = self.members.clone();
        for member in &mut members {
            if member.presence == Presence::Up {
                member.presence = self.agreed.presence(member.id.node);
            }
        }
        members
    }

    fn plan(&mut self) {
        let ready = Ready(BTreeMap::new());
        let moves = self.agreed.plan(&self.known(), &ready);
        for change in &moves {
            if let Move::Overlap { slot, .. } = change {
                let process = self.agreed.config.process(&slot.name);
                assert!(
                    process.is_some_and(|p| p.overlap),
                    "{slot:?} may not overlap"
                );
            }
        }
        let carried = Vec::new();
        if !moves.is_empty() {
            self.apply(&Entry::Moves { moves, carried });
        }
    }

    fn act(&mut self, number: u16) {
        let member = self.members[usize::from(number - 1)];
        if member.presence != Presence::Up {
            return;
        }
        let me = member.id;
        let duties = self.agreed.duties(me);
        for (id, on) in &mut self.runs {
            if duties.get(id).is_none_or(|duty| *duty == Duty::Leave) {
                on.remove(&me);
            }
        }
        for (id, duty) in duties {
            if matches!(duty, Duty::Run(_)) {
                let on = self.runs.entry(id.clone()).or_default();
                on.insert(me);
                let owner = self.agreed.assignment.owner(&self.agreed.slot(&id));
                let owners: BTreeSet<Life> = owner.lives().collect();
                let moves = on.len() == 2 && *on == owners;
                assert!(on.len() == 1 || moves, "{id} on {on:?}; {:#?}", self.agreed);
            }
        }
        let runs = &self.runs;
        let there = |id: &Id| runs.get(id).is_some_and(|on| on.contains(&me));
        let moves = self.agreed.released(me, there);
        let carried = Vec::new();
        self.apply(&Entry::Moves { moves, carried });
    }

    fn happen(&mut self, what: Happening) {
        match what {
            Happening::Put { name, how, only } => {
                let put = process(NAMES[name], how);
                let change = Change {
                    put,
                    only,
                    ..Change::default()
                };
                self.apply(&Entry::Change(change));
            }
            Happening::PutGroup { members } => {
                let of = NAMES.iter().enumerate();
                let of = of.filter(|(n, _)| members & (1 << n) != 0);
                let names: Vec<&str> = of.map(|(_, name)| *name).collect();
                if names.is_empty() {
                    return;
                }
                let mut put: String = names.iter().map(|name| process(name, 0)).collect();
                put += &format!("[[group]]\nname = \"{GROUP}\"\nmembers = {names:?}\n");
                let change = Change {
                    put,
                    ..Change::default()
                };
                self.apply(&Entry::Change(change));
            }
            Happening::Remove { name, abandon } => {
                let name = NAMES.get(name).copied().unwrap_or(GROUP);
                let change = Change {
                    remove: vec![name.to_owned()],
                    abandon,
                    ..Change::default()
                };
                self.apply(&Entry::Change(change));
            }
            Happening::Stop { name, stopped } => {
                let names = vec![Arc::from(NAMES[name])];
                self.apply(&Entry::Stop { names, stopped });
            }
            Happening::Drain { node: at, drained } => {
                let node = node(at);
                self.apply(&Entry::Drain { node, drained });
            }
            Happening::Plan => self.plan(),
            Happening::Act(number) => self.act(number),
            Happening::Lost(number) => self.become_(number, Presence::Lost),
            Happening::Gone(number) => self.become_(number, Presence::Gone),
            Happening::Back(number) => self.become_(number, Presence::Up),
        }
    }

    fn become_(&mut self, number: u16, presence: Presence) {
        let member = &mut self.members[usize::from(number - 1)];
        // Who is lost is gone before it comes back, and is lost before it is gone.
        let leads = matches!(
            (member.presence, presence),
            (Presence::Up, Presence::Lost)
                | (Presence::Lost, Presence::Gone)
                | (Presence::Gone, Presence::Up)
        );
        if !leads {
            return;
        }
        if presence == Presence::Up {
            member.id.life += 1;
        }
        member.presence = presence;
        let id = member.id;
        if presence == Presence::Gone {
            for on in self.runs.values_mut() {
                on.remove(&id);
            }
        }
    }

    fn settle(&mut self) {
        for number in 1..=NODES {
            self.become_(number, Presence::Gone);
            self.become_(number, Presence::Up);
            let node = node(number);
            let drained = false;
            self.apply(&Entry::Drain { node, drained });
        }
        for _ in 0..100 {
            let before = self.agreed.clone();
            self.plan();
            (1..=NODES).for_each(|number| self.act(number));
            if self.agreed == before {
                return;
            }
        }
        panic!("it never settles: {:#?}", self.agreed);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn nothing_runs_twice_and_all_agree(happenings in vec(happening(), 1..80)) {
        let mut world = World::new();
        for what in happenings {
            world.happen(what);
        }
        world.settle();
        // In the end everything that is not stopped runs once.
        for process in world.agreed.config.process.clone() {
            if process.favoured == ssi_keepalive::config::Favoured::All {
                continue;
            }
            for instance in 0..process.instances {
                let id = Id::new(&process.name, instance);
                let on = world.runs.get(&id).map_or(0, BTreeSet::len);
                let still = world.agreed.is_stopped(&process.name);
                prop_assert!(on == 1 || still, "{id} runs on {on} nodes: {:#?}", world.agreed);
            }
        }
    }

    #[test]
    fn nonsense_is_no_entry_and_no_state(bytes in vec(any::<u8>(), 0..200)) {
        let _ = Entry::decode(&bytes);
        let _ = Agreed::import(&bytes);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8))]

    #[test]
    fn long_changes_come_in_parts(count in 0..2000_usize, token: u64) {
        let put: String = (0..count).map(|n| process(&format!("p{n}"), n % 3)).collect();
        let whole = Change { put: put.clone(), ..Change::default() };
        let entries = parts(whole.clone(), token);
        prop_assert_eq!(entries.len() > 1, put.len() > MOST_TEXT);
        let (mut one, mut other) = (Agreed::default(), Agreed::default());
        for entry in &entries {
            one.apply(entry).unwrap();
        }
        other.apply(&Entry::Change(whole)).unwrap();
        prop_assert_eq!(one, other);
    }
}

#[test]
fn a_change_whose_parts_are_missing_is_refused() {
    let change = Change {
        token: Some(7),
        ..Change::default()
    };
    let mut agreed = Agreed::default();
    assert!(agreed.apply(&Entry::Change(change)).is_err());
    assert_eq!(agreed, Agreed::default());
}

#[test]
fn what_runs_in_a_group_can_not_leave_it() {
    let mut world = World::new();
    world.happen(Happening::PutGroup { members: 3 });
    world.settle();
    let mut put = process("a", 0);
    put += "[[group]]\nname = \"g\"\nmembers = [\"a\"]\n";
    let change = Change {
        put,
        ..Change::default()
    };
    let refused = world.agreed.apply(&Entry::Change(change)).unwrap_err();
    assert_eq!(
        refused,
        "b runs as part of g and would not any more: `ssi service remove g` first"
    );
}
