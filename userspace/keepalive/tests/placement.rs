//! Which node runs what, whatever happens to nodes: never two owners, nothing moves that
//! needn't, and in the end everything is where it is wanted.

use std::collections::{BTreeMap, BTreeSet};

use proptest::collection::vec;
use proptest::prelude::*;
use ssi_keepalive::Node;
use ssi_keepalive::config::{Backup, Config, Favoured, Group, Process, Selection};
use ssi_keepalive::placement::{
    Assignment, Life, Member, Move, Outlook, Outlooks, Owner, Presence, Slot, Wanted, plan, wanted,
};

const NODES: u16 = 5;

fn node(number: u16) -> Node {
    Node::new(number).unwrap()
}

/// Nodes and what they really run.
struct World {
    config: Config,
    members: Vec<Member>,
    assignment: Assignment,
    /// What has processes, and where.
    runs: BTreeMap<Slot, BTreeSet<Life>>,
    seen: Seen,
}

/// How it goes with what was moved; well, unless it is said.
#[derive(Default)]
struct Seen {
    of: BTreeMap<(Slot, Life), Outlook>,
    moved: BTreeMap<Slot, Life>,
}

impl Outlooks for Seen {
    fn of(&self, slot: &Slot, node: Life) -> Outlook {
        let key = (slot.clone(), node);
        self.of.get(&key).copied().unwrap_or(Outlook::Ready)
    }

    fn moved(&self) -> &BTreeMap<Slot, Life> {
        &self.moved
    }
}

impl World {
    fn new(config: Config) -> Self {
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
            config,
            members: (1..=NODES).map(member).collect(),
            assignment: Assignment::default(),
            runs: BTreeMap::new(),
            seen: Seen::default(),
        }
    }

    fn wanted(&self) -> BTreeMap<Slot, Wanted> {
        wanted(&self.config, &self.members)
    }

    /// One round of planning. Answers the moves.
    fn round(&mut self) -> Vec<Move> {
        let wanted = self.wanted();
        let plan = || plan(&wanted, &self.members, &self.assignment, &self.seen);
        let moves = plan();
        assert_eq!(moves, plan());
        for change in &moves {
            match change {
                Move::Give { slot, node, .. } => {
                    let there = self.runs(slot);
                    assert!(
                        there.is_empty(),
                        "{slot:?} goes to {node:?} and has processes on {there:?}"
                    );
                    self.runs.entry(slot.clone()).or_default().insert(*node);
                }
                Move::Overlap { slot, old, new } => {
                    assert!(wanted[slot].overlap, "{slot:?} may not overlap");
                    assert_eq!(self.runs(slot), BTreeSet::from([*old]));
                    self.runs.entry(slot.clone()).or_default().insert(*new);
                }
                Move::Take { slot, node }
                    if self.presence(node.node.get()) == Presence::Draining =>
                {
                    if self.assignment.owner(slot) == Owner::Runs(*node) {
                        self.seen.moved.insert(slot.clone(), *node);
                    }
                }
                _ => {}
            }
            self.assignment.apply(change);
        }
        moves
    }

    fn runs(&self, slot: &Slot) -> BTreeSet<Life> {
        self.runs.get(slot).cloned().unwrap_or_default()
    }

    /// Nodes that are up end what they were told to.
    fn release(&mut self) {
        for (slot, held) in self.assignment.slots.clone() {
            let leaves = held.owner.lives().find(|life| held.owner.leaves(*life));
            let Some(node) = leaves else { continue };
            let member = self.members[usize::from(node.node.get() - 1)];
            if member.id == node && matches!(member.presence, Presence::Up | Presence::Draining) {
                self.runs.entry(slot.clone()).or_default().remove(&node);
                self.assignment.apply(&Move::Released { slot, node });
            }
        }
    }

    fn presence(&self, node: u16) -> Presence {
        self.members[usize::from(node - 1)].presence
    }

    fn become_(&mut self, number: u16, presence: Presence) {
        let member = &mut self.members[usize::from(number - 1)];
        // What comes back after it was given up has nothing left of its old life.
        if member.presence == Presence::Gone && presence != Presence::Gone {
            member.id.life += 1;
        }
        member.presence = presence;
        if presence == Presence::Gone {
            let id = member.id;
            for on in self.runs.values_mut() {
                on.remove(&id);
            }
        }
    }

    fn settle(&mut self) {
        for _ in 0..200 {
            if self.round().is_empty() {
                let before = self.assignment.clone();
                self.release();
                if self.assignment == before {
                    return;
                }
            }
            self.release();
        }
        panic!("it never settles: {:?}", self.assignment);
    }

    /// Where a slot may be, by the configuration alone.
    fn allowed(&self, wanted: &Wanted) -> BTreeSet<Node> {
        let up = self.members.iter().filter(|m| m.presence == Presence::Up);
        let place = &wanted.place;
        up.filter(|m| place.nodes.is_empty() || place.nodes.contains(&m.id.node))
            .filter(|m| wanted.only.is_none_or(|only| only == m.id.node))
            .filter(|m| match (place.favoured, &place.backup) {
                (Favoured::Any | Favoured::All, _) => true,
                (Favoured::Root, _) => m.root,
                (Favoured::Node(favoured), _) if favoured == m.id.node => true,
                (Favoured::Node(_), Backup::Any) => true,
                (Favoured::Node(_), Backup::Nodes(nodes)) => nodes.contains(&m.id.node),
            })
            .map(|m| m.id.node)
            .collect()
    }
}

fn process() -> impl Strategy<Value = Process> {
    let selection = prop_oneof![
        Just(None),
        Just(Some(Selection::LastNode)),
        Just(Some(Selection::RoundRobin)),
        Just(Some(Selection::LeastLoaded)),
    ];
    let nodes = vec(1..=NODES, 0..3);
    (
        0_u8..5,
        1..=NODES,
        nodes,
        selection,
        1_u32..4,
        (any::<bool>(), any::<bool>()),
    )
        .prop_map(
            |(kind, favoured, nodes, selection, instances, (failback, overlap))| {
                let mut made = Process::new("p", "/p");
                let mut nodes: Vec<Node> = nodes.into_iter().map(node).collect();
                nodes.sort();
                nodes.dedup();
                (made.instances, made.overlap) = (instances, overlap);
                match kind {
                    0 => made.nodes = nodes,
                    1 => (made.favoured, made.nodes) = (Favoured::All, nodes),
                    2 => made.favoured = Favoured::Root,
                    _ => {
                        made.favoured = Favoured::Node(node(favoured));
                        nodes.retain(|n| n.get() != favoured);
                        made.backup = if kind == 3 {
                            Backup::Nodes(nodes)
                        } else {
                            Backup::Any
                        };
                        made.failback = failback;
                    }
                }
                if kind != 1 && kind != 2 {
                    made.restart_on = selection;
                }
                made
            },
        )
}

fn config() -> impl Strategy<Value = Config> {
    (vec(process(), 1..5), any::<bool>()).prop_map(|(mut process, grouped)| {
        for (n, process) in process.iter_mut().enumerate() {
            process.name = format!("p{n}");
        }
        let mut config = Config {
            process,
            group: Vec::new(),
        };
        if grouped {
            let mut member = Process::new("m", "/m");
            member.name = "m".to_owned();
            config.process.push(member);
            let group = "name = \"g\"\nmembers = [\"m\"]\nfavoured = 2\nbackup = [3]";
            config.group.push(toml::from_str::<Group>(group).unwrap());
        }
        config
    })
}

#[derive(Clone, Debug)]
enum Step {
    Round,
    Release,
    Become(u16, Presence),
    Refuse(usize),
    Load(u16, u32),
    Goes(usize, Outlook),
    Configure(Config),
}

fn step() -> impl Strategy<Value = Step> {
    let presence = prop_oneof![
        Just(Presence::Up),
        Just(Presence::Draining),
        Just(Presence::Lost),
        Just(Presence::Gone),
    ];
    let outlook = prop_oneof![
        Just(Outlook::Ready),
        Just(Outlook::Waits),
        Just(Outlook::Failed)
    ];
    prop_oneof![
        5 => Just(Step::Round),
        3 => Just(Step::Release),
        5 => (1..=NODES, presence).prop_map(|(n, p)| Step::Become(n, p)),
        1 => (0_usize..20).prop_map(Step::Refuse),
        1 => (1..=NODES, 0_u32..4000).prop_map(|(n, load)| Step::Load(n, load)),
        2 => (0_usize..20, outlook).prop_map(|(n, outlook)| Step::Goes(n, outlook)),
        1 => config().prop_map(Step::Configure),
    ]
}

proptest! {
    #[test]
    fn one_owner_and_in_the_end_the_right_one(
        config in config(), steps in vec(step(), 0..80),
    ) {
        let mut world = World::new(config);
        for step in steps {
            match step {
                Step::Round => drop(world.round()),
                Step::Release => world.release(),
                // Only what was lost can be known to be gone.
                Step::Become(n, Presence::Gone)
                    if world.presence(n) != Presence::Lost => {}
                Step::Become(n, Presence::Draining)
                    if world.presence(n) != Presence::Up => {}
                Step::Become(n, presence) => world.become_(n, presence),
                Step::Refuse(n) => {
                    let held = world.assignment.slots.iter().nth(n);
                    if let Some((slot, Owner::Runs(node))) = held.map(|(s, h)| (s.clone(), h.owner)) {
                        world.assignment.apply(&Move::Refused { slot, node });
                    }
                }
                Step::Load(n, load) => world.members[usize::from(n - 1)].load = load,
                Step::Goes(n, outlook) => {
                    let held = world.assignment.slots.iter().nth(n);
                    if let Some((slot, Owner::Runs(node) | Owner::Both { new: node, .. })) =
                        held.map(|(slot, held)| (slot.clone(), held.owner))
                    {
                        world.seen.of.insert((slot, node), outlook);
                    }
                }
                Step::Configure(config) => world.config = config,
            }
            for (slot, on) in &world.runs {
                let owner = world.assignment.owner(slot);
                let owners: BTreeSet<Life> = owner.lives().collect();
                prop_assert!(on.is_subset(&owners), "{slot:?} on {on:?}: {owner:?}");
            }
        }
        world.seen = Seen::default();
        // The faults are over.
        for number in 1..=NODES {
            world.become_(number, Presence::Up);
        }
        world.settle();
        for (slot, wanted) in world.wanted() {
            let allowed = world.allowed(&wanted);
            let owner = world.assignment.owner(&slot);
            match owner {
                Owner::Runs(node) => prop_assert!(allowed.contains(&node.node), "{slot:?} {owner:?}"),
                _ => prop_assert!(allowed.is_empty(), "{slot:?} {owner:?} {allowed:?}"),
            }
            prop_assert_eq!(world.runs(&slot), owner.lives().collect::<BTreeSet<_>>());
            let held = world.assignment.slots.get(&slot);
            if let Favoured::Node(favoured) = wanted.place.favoured
                && wanted.place.failback
                && held.is_none_or(|held| held.refused.is_empty())
                && allowed.contains(&favoured)
            {
                prop_assert_eq!(owner.life().map(|life| life.node), Some(favoured));
            }
        }
        let extra = world.runs.iter().filter(|(_, on)| !on.is_empty());
        let extra: Vec<_> = extra.filter(|(s, _)| !world.wanted().contains_key(s)).collect();
        prop_assert!(extra.is_empty(), "{:?}", extra);
        // Nobody moves without a reason, whatever the loads are.
        for member in &mut world.members {
            member.load = 4000 - 700 * u32::from(member.id.node.get());
        }
        prop_assert_eq!(world.round(), Vec::new());
    }
}

fn one(text: &str) -> World {
    let config: Config =
        toml::from_str(&format!("[[process]]\nname = \"p\"\npath = \"/p\"\n{text}")).unwrap();
    let mut world = World::new(config);
    world.settle();
    world
}

fn place(world: &World) -> Vec<u16> {
    let held = world.assignment.slots.values();
    held.filter_map(|held| held.owner.life())
        .map(|life| life.node.get())
        .collect()
}

#[test]
fn backups_in_their_order_and_nobody_before_the_fence() {
    let mut world = one("favoured = 4\nbackup = [3, 5]");
    assert_eq!(place(&world), [4]);
    world.become_(4, Presence::Lost);
    world.settle();
    assert_eq!(place(&world), [4]);
    world.become_(4, Presence::Gone);
    world.settle();
    assert_eq!(place(&world), [3]);
    world.become_(4, Presence::Up);
    world.settle();
    assert_eq!(place(&world), [3], "nothing moves that needn't");
}

#[test]
fn one_per_node_grows_and_shrinks() {
    let mut world = one("favoured = \"all\"\nnodes = [1, 2, 4]");
    assert_eq!(place(&world), [1, 2, 4]);
    world.become_(2, Presence::Lost);
    world.become_(2, Presence::Gone);
    world.settle();
    assert_eq!(place(&world), [1, 4]);
    world.become_(2, Presence::Up);
    world.settle();
    assert_eq!(place(&world), [1, 2, 4]);
}

#[test]
fn the_next_one_the_idle_one_the_last_one() {
    let mut world = one("instances = 3\nrestart_on = \"round_robin\"");
    assert_eq!(place(&world), [1, 2, 3]);
    world.become_(3, Presence::Draining);
    world.settle();
    assert_eq!(place(&world), [1, 2, 4]);

    let mut world = one("restart_on = \"least_loaded\"");
    assert_eq!(place(&world), [1]);
    for (member, load) in world.members.iter_mut().zip([0, 900, 300, 800, 800]) {
        member.load = load;
    }
    world.become_(1, Presence::Draining);
    world.settle();
    assert_eq!(place(&world), [3]);

    let mut world = one("favoured = 1\nbackup = \"any\"\nrestart_on = \"last_node\"");
    world.become_(1, Presence::Draining);
    world.settle();
    let there = place(&world);
    world.become_(1, Presence::Up);
    // It is put out by its own word, and its last node is still the first to be asked.
    let slot = world.assignment.slots.keys().next().unwrap().clone();
    let node = world.members[usize::from(there[0] - 1)].id;
    world.assignment.apply(&Move::Take { slot, node });
    world.settle();
    assert_eq!(place(&world), there);
}

#[test]
fn a_node_that_is_refused_is_asked_last() {
    let mut world = one("favoured = 2\nbackup = [3]");
    let slot = world.assignment.slots.keys().next().unwrap().clone();
    let refuse = |world: &mut World, number: usize| {
        let (slot, node) = (slot.clone(), world.members[number - 1].id);
        world.assignment.apply(&Move::Refused { slot, node });
        world.settle();
    };
    refuse(&mut world, 2);
    assert_eq!(place(&world), [3]);
    // There is no other: it is tried where it is.
    refuse(&mut world, 3);
    assert_eq!(place(&world), [3]);
}

/// Who has the slots, in their order.
fn owners(world: &World) -> Vec<Owner> {
    let held = world.assignment.slots.values();
    held.map(|held| held.owner).collect()
}

#[test]
fn a_drained_node_gives_one_at_a_time_and_the_next_when_that_is_ready() {
    let mut world = one("instances = 3\nfavoured = 2\nbackup = [3]");
    world.become_(2, Presence::Draining);
    let on = |world: &World, number: u16| place(world).iter().filter(|n| **n == number).count();
    for moved in 0..3 {
        let taken = world.round();
        let [Move::Take { slot, .. }] = &taken[..] else {
            panic!("{taken:?}")
        };
        assert_eq!(world.round(), Vec::new(), "it has not ended yet");
        world.release();
        let there = (slot.clone(), world.members[2].id);
        world.seen.of.insert(there.clone(), Outlook::Waits);
        let given = world.round();
        assert!(matches!(&given[..], [Move::Give { .. }]), "{given:?}");
        assert_eq!(world.round(), Vec::new(), "it is not ready yet");
        assert_eq!((on(&world, 2), on(&world, 3)), (2 - moved, moved + 1));
        // Nobody waits for what is down.
        let goes = if moved == 1 {
            Outlook::Failed
        } else {
            Outlook::Ready
        };
        world.seen.of.insert(there, goes);
    }
    assert_eq!(world.round(), Vec::new());
}

#[test]
fn what_may_overlap_ends_when_it_is_ready_elsewhere() {
    let mut world = one("instances = 2\nfavoured = 2\nbackup = [3, 4]\noverlap = true");
    let slots: Vec<Slot> = world.assignment.slots.keys().cloned().collect();
    let [old, third, fourth] = [1, 2, 3].map(|n| world.members[n].id);
    let waits = |slot: &Slot, node| ((slot.clone(), node), Outlook::Waits);
    world.seen.of = BTreeMap::from([waits(&slots[0], third), waits(&slots[1], third)]);
    world.become_(2, Presence::Draining);
    world.round();
    assert_eq!(world.round(), Vec::new(), "it is not ready yet");
    let both = Owner::Both { old, new: third };
    assert_eq!(owners(&world), [both, Owner::Runs(old)]);
    // It is down there: tried on another node, it still runs where it was.
    world
        .seen
        .of
        .insert((slots[0].clone(), third), Outlook::Failed);
    world.round();
    let handing = Owner::Handing {
        old: third,
        new: old,
    };
    assert_eq!(owners(&world), [handing, Owner::Runs(old)]);
    assert_eq!(world.round(), Vec::new());
    world.release();
    world.round();
    let both = Owner::Both { old, new: fourth };
    assert_eq!(owners(&world)[0], both);
    // That node crashes, and the old one has it alone.
    world.become_(4, Presence::Lost);
    assert_eq!(world.round(), Vec::new(), "it may be ready there");
    world.become_(4, Presence::Gone);
    world.round();
    assert_eq!(owners(&world)[0], Owner::Runs(old));
    world.become_(4, Presence::Up);
    world.seen.of.clear();
    world.settle();
    let nodes: Vec<u16> = place(&world);
    assert!(nodes.iter().all(|node| *node != 2), "{nodes:?}");
}

#[test]
fn what_is_ready_nowhere_else_stays() {
    let mut world = one("favoured = 2\nbackup = [3]\noverlap = true");
    let slot = world.assignment.slots.keys().next().unwrap().clone();
    let third = world.members[2].id;
    world.seen.of.insert((slot, third), Outlook::Failed);
    world.become_(2, Presence::Draining);
    world.settle();
    assert_eq!(place(&world), [2]);
}
