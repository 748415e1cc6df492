//! Any configuration, and whatever may happen.

use std::collections::BTreeSet;

use proptest::collection::vec;
use proptest::prelude::*;
use ssi_keepalive::Node;
use ssi_keepalive::config::{Backup, Config, Favoured, Group, Process, Selection};
use ssi_keepalive::placement::{Life, Move, Outlook, Owner, Presence};

use super::world::{NODES, Seen, World, node};

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
