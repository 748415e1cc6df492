//! How hosts live: what happens to them, and what their daemons do about it.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use rand::RngExt as _;
use ssi_clms::core::engine::{Engine, Lead, Output, Start};
use ssi_clms::core::follower::KERNEL;
use ssi_clms::core::member::{Candidate, Facts};
use ssi_clms::core::message::Message;
use ssi_clms::core::pair::generation;
use ssi_clms::core::{NodeId, Time, View};
use ssi_clms::log::{Applied, Seat};

use crate::host::{Kernel, Probe, Reflection, number};
use crate::world::{Arrival, Event, Shared, World, clock, host_of};

/// What the cluster has to give.
pub(crate) const RESOURCES: [&str; 2] = ["cvip 10.0.0.100", "service db"];

/// Who a host is.
pub(crate) fn candidate(index: usize) -> Candidate {
    let mut key = [0; 32];
    key[..8].copy_from_slice(&index.to_be_bytes());
    Candidate {
        name: format!("host{}", index + 1),
        addresses: Vec::new(),
        key,
        life: 0,
        potential_master: false,
        facts: Facts::default(),
    }
}

/// Starts a host's daemon, in a new life or, if it was only the daemon that died, in the
/// same.
pub(crate) fn start_daemon(world: &mut World, host: usize) {
    let now = clock(world, host);
    let life: u64 = world.rng.random();
    let mut entropy: u64 = world.rng.random();
    let (timing, masters) = (world.timing.clone(), world.potential_masters);
    let place = &mut world.hosts[host];
    if place.kernel.id.is_none() {
        place.candidate.life = life;
    }
    place.candidate.potential_master = host < masters;
    let view = place.saved.as_deref().cloned().unwrap_or_default();
    place.daemon += 1;
    place.engine = Some(Engine::new(
        now,
        Start {
            timing,
            candidate: place.candidate.clone(),
            number: Some(number(host)),
            view,
            id: place.kernel.id,
            subsystems: vec!["ics".to_owned(), "lvs".to_owned()],
            resources: RESOURCES.map(ToOwned::to_owned).into(),
            fencing: world.fencing.is_some(),
            entropy: Box::new(move || {
                entropy = entropy
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1);
                entropy
            }),
        },
    ));
    let resumed: Vec<(String, u64)> = place
        .kernel
        .view
        .iter()
        .flat_map(|view| [KERNEL, "ics", "lvs"].map(|name| (name.to_owned(), view.epoch)))
        .collect();
    let daemon = place.daemon;
    for (name, epoch) in resumed {
        world.plan(
            Duration::from_millis(1),
            host,
            Event::Took(daemon, name, epoch),
        );
    }
    world.say(|| format!("host{} starts its daemon", host + 1));
    world.plan_wake(host);
}

/// Switches a host off: a crash.
pub(crate) fn crash(world: &mut World, host: usize) -> Option<Seat> {
    world.say(|| format!("host{} crashes", host + 1));
    let now = world.now();
    let free = now + u64::try_from(world.timing.mastery.as_nanos()).unwrap_or(u64::MAX);
    let place = &mut world.hosts[host];
    place.up = false;
    place.paused = false;
    place.kernel = Kernel::default();
    place.engine = None;
    place.daemon += 1;
    place.waiting.clear();
    place.wake = u64::MAX;
    place.seat_free = free;
    place.seat.take()
}

/// Kills a host's daemon; its kernel goes on.
pub(crate) fn kill_daemon(world: &mut World, host: usize) -> Option<Seat> {
    world.say(|| format!("host{}'s daemon is killed", host + 1));
    let now = world.now();
    let free = now + u64::try_from(world.timing.mastery.as_nanos()).unwrap_or(u64::MAX);
    let place = &mut world.hosts[host];
    place.engine = None;
    place.daemon += 1;
    place.waiting.clear();
    place.wake = u64::MAX;
    place.paused = false;
    place.seat_free = free;
    place.seat.take()
}

/// Something happens to a host.
pub(crate) fn happen(shared: &Shared, host: usize, event: Event) {
    let mut guard = shared.lock();
    let world = &mut *guard;
    let now = clock(world, host);
    if let Event::SwitchOff { by, id, request } = event {
        crate::fencing::switch_off(world, by, id, request);
        return;
    }
    if !world.hosts[host].up {
        return;
    }
    match event {
        Event::SwitchOff { .. } => {}
        Event::Fenced(daemon, request, id, off) => {
            let place = &mut world.hosts[host];
            if let Some(engine) = &mut place.engine
                && place.daemon == daemon
            {
                engine.switched_off(now, request, id, off);
            }
        }
        Event::Probe(probe) => {
            let kernel = &mut world.hosts[host].kernel;
            if !probe.supervisor {
                if let Some(reflection) = kernel.reflect(now, &probe) {
                    reflect(world, host, &probe, reflection);
                }
            } else if kernel.lets_in(probe.from) && kernel.knows(probe.key) {
                let (to, what) = (Some(probe.to), Arrival::Asks(probe));
                world.plan(Duration::from_micros(20), host, Event::Arrival { to, what });
            }
            return;
        }
        Event::Arrival { to, what } => {
            let place = &mut world.hosts[host];
            // Meant for another life.
            if to.is_some() && place.id() != to && !is_for_outsiders(&what) {
                return;
            }
            if place.paused {
                if place.waiting.len() < 1_000 {
                    place.waiting.push_back(what);
                }
                return;
            }
            arrive(world, host, now, what);
        }
        Event::Wake => {
            let at = world.now();
            let place = &mut world.hosts[host];
            if place.wake > at {
                return;
            }
            place.wake = u64::MAX;
        }
        Event::Leads => {}
        Event::Took(daemon, name, epoch) => {
            let place = &mut world.hosts[host];
            if place.daemon != daemon {
                return;
            }
            if let Some(engine) = &mut place.engine {
                if name == KERNEL {
                    place.kernel.view = Some(engine.view().clone());
                    place.saved = place.kernel.view.clone();
                    place.kernel.id = engine.id();
                }
                engine.took(now, &name, epoch);
            }
        }
        Event::News(daemon, applied) => {
            let place = &mut world.hosts[host];
            if place.daemon != daemon {
                return;
            }
            if let Some(engine) = &mut place.engine {
                match applied {
                    Applied::Entry(epoch, command) => engine.committed(now, epoch, &command),
                    Applied::Whole(view) => engine.restored(now, *view),
                }
            }
        }
        Event::Proposed(daemon, said) => {
            let place = &mut world.hosts[host];
            if let Some(engine) = &mut place.engine
                && place.daemon == daemon
                && !matches!(said, Ok(Ok(_)))
            {
                engine.not_committed(now);
            }
        }
    }
    work(shared, world, host, now);
    let at = world.now();
    Invariants::check(world, at, host);
}

use crate::invariants::Invariants;

/// A probe goes back.
fn reflect(world: &mut World, host: usize, probe: &Probe, reflection: Reflection) {
    let back = host_of(probe.from);
    world.traffic.datagram(host);
    if let Some(delay) = world.links.datagram(host, back, &mut world.rng) {
        let (to, what) = (Some(probe.from), Arrival::Reflection(reflection));
        world.plan(delay, back, Event::Arrival { to, what });
    }
}

fn is_for_outsiders(what: &Arrival) -> bool {
    matches!(what, Arrival::Message(_, message) if message.is_for_outsiders())
}

fn arrive(world: &mut World, host: usize, now: Time, what: Arrival) {
    let Some(engine) = &mut world.hosts[host].engine else {
        return;
    };
    match what {
        Arrival::Asks(probe) => {
            let reflection = Reflection {
                from: probe.to,
                nonce: probe.nonce,
                clock: 0,
                holds: false,
                supervisor: true,
            };
            reflect(world, host, &probe, reflection);
        }
        Arrival::Reflection(back) if back.supervisor => {
            engine.answered(now, back.from, back.nonce);
        }
        Arrival::Reflection(back) => {
            engine.reflected(now, back.from, back.nonce, back.clock, back.holds);
        }
        Arrival::Message(from, message) => engine.message(now, from, *message),
    }
}

/// A daemon runs: reads what has come, then does what is due.
fn work(shared: &Shared, world: &mut World, host: usize, now: Time) {
    let place = &mut world.hosts[host];
    if place.paused {
        return;
    }
    while let Some(what) = world.hosts[host].waiting.pop_front() {
        arrive(world, host, now, what);
    }
    let place = &mut world.hosts[host];
    let Some(engine) = &mut place.engine else {
        return;
    };
    if let Some(seat) = &place.seat {
        let leads = seat.leadership().map(|lead| Lead {
            term: lead.term,
            acked: now - lead.age,
            generation: lead.generation,
            alone: lead.alone,
        });
        engine.leads(now, leads);
    }
    engine.tick(now, place.kernel.lease);
    put_all_out(shared, world, host);
    world.plan_wake(host);
}

/// A daemon does what its engine says.
pub(crate) fn put_all_out(shared: &Shared, world: &mut World, host: usize) {
    while let Some(output) = world.hosts[host].engine.as_mut().and_then(Engine::poll) {
        put_out(shared, world, host, output);
    }
}

fn put_out(shared: &Shared, world: &mut World, host: usize, output: Output) {
    let daemon = world.hosts[host].daemon;
    match output {
        Output::Probe {
            to,
            nonce,
            grant,
            supervisor,
            old_key,
        } => {
            let Some(from) = world.hosts[host].id() else {
                return;
            };
            let keys = world.hosts[host].engine.as_ref();
            let keys = keys.map_or([0; 2], |engine| engine.view().probe_keys.map(|key| key.id));
            let before = old_key && keys[1] != 0;
            let lease = u64::try_from(world.timing.lease.as_nanos()).unwrap_or(u64::MAX);
            let grant = grant.map(|clock| (clock, lease));
            world.traffic.datagram(host);
            let delay = world.links.datagram(host, host_of(to), &mut world.rng);
            if let Some(delay) = delay {
                let probe = Probe {
                    from,
                    to,
                    nonce,
                    grant,
                    supervisor,
                    key: keys[usize::from(before)],
                };
                world.plan(delay, host_of(to), Event::Probe(probe));
            }
        }
        Output::Send { to, message } => send(world, host, host_of(to), Some(to), message),
        Output::Door { to, message } => send(world, host, host_of(to), None, message),
        Output::Contact(message) => {
            // Whom it knows from before; a newcomer was told of the first.
            let view = world.hosts[host]
                .engine
                .as_ref()
                .map(|engine| engine.view().clone());
            let known: Vec<usize> = view
                .iter()
                .flat_map(|view| view.members.keys())
                .map(|number| usize::from(number.get()) - 1)
                .filter(|other| *other != host)
                .collect();
            let other = match known.len() {
                0 => 0,
                many => known[world.rng.random_range(0..many)],
            };
            send(world, host, other, None, message);
        }
        Output::HandOver(heir) => {
            world.say(|| format!("host{} hands over to {heir}", host + 1));
            if let Some(seat) = world.hosts[host].seat.clone() {
                let heir = heir.number.get();
                crate::seats::spawn(world, async move { seat.hand_over(heir).await });
            }
        }
        Output::Propose(command) => {
            world.say(|| format!("host{} proposes: {command}", host + 1));
            if let Some(seat) = world.hosts[host].seat.clone() {
                let shared = shared.clone();
                crate::seats::spawn(world, async move {
                    let said = seat.propose(command).await;
                    shared.bring(host, Event::Proposed(daemon, said));
                });
            }
        }
        Output::Install(installed) => {
            Invariants::installed(world, host, &installed);
            let seat = world.hosts[host].seat.as_ref();
            let old = seat.and_then(Seat::generation);
            if old.is_some_and(|old| old < generation(installed.view.epoch)) {
                crate::seats::anew(world, host, None);
            }
            let epoch = installed.view.epoch;
            let mut names = vec![KERNEL, "ics", "lvs"];
            let mut after = Duration::ZERO;
            for name in names.drain(..) {
                after += Duration::from_micros(world.rng.random_range(20..500));
                world.plan(after, host, Event::Took(daemon, name.to_owned(), epoch));
            }
        }
        Output::Refound(command) => crate::seats::anew(world, host, Some(command)),
        Output::SwitchOff { id, request } => {
            world.say(|| format!("host{} wants {id} off", host + 1));
            let after = Duration::from_millis(world.rng.random_range(50..500));
            let by = host;
            world.plan(after, host, Event::SwitchOff { by, id, request });
        }
        Output::Lease(until) => {
            let kernel = &mut world.hosts[host].kernel;
            kernel.lease = kernel.lease.max(until);
        }
        Output::Lower(until) => {
            let kernel = &mut world.hosts[host].kernel;
            kernel.lease = kernel.lease.min(until);
        }
        Output::Stalled { id, stalled } => {
            world.say(|| format!("host{} finds {id} stalled: {stalled}", host + 1));
            if stalled {
                world.stalled.insert(host_of(id));
            }
        }
        Output::Fence => world.say(|| format!("host{} fences itself", host + 1)),
        Output::Unfence => world.say(|| format!("host{} goes on", host + 1)),
        Output::Rejoin => {
            world.say(|| format!("host{} is out and rejoins", host + 1));
            let kernel = &mut world.hosts[host].kernel;
            kernel.lease = Time(0);
            kernel.id = None;
        }
        Output::TurnAway { key, why } => {
            let mut away = world.hosts.iter();
            if let Some(other) = away.position(|host| host.candidate.key == key) {
                send(world, host, other, None, Message::JoinRefused { key, why });
            }
        }
        Output::Refused(why) => world.say(|| format!("host{} is refused: {why}", host + 1)),
    }
}

fn send(world: &mut World, from: usize, host: usize, to: Option<NodeId>, message: Message) {
    if world.tells {
        world.say(|| format!("host{} to host{}: {message:?}", from + 1, host + 1));
    }
    let bytes = postcard::to_stdvec(&message).map_or(0, |bytes| bytes.len());
    world.traffic.message(from, host, bytes);
    let Some(delay) = world.links.stream(from, host, &mut world.rng) else {
        return;
    };
    let sender = world.hosts[from].id();
    // The kernel of the receiver shuts out who is no member; such a one is heard only by
    // the way that newcomers use.
    let member = sender.filter(|id| world.hosts[host].kernel.lets_in(*id));
    let what = Arrival::Message(member, Box::new(message));
    if member.is_none() && !is_for_outsiders(&what) {
        return;
    }
    world.plan(delay, host, Event::Arrival { to, what });
}

/// The newest view among the hosts that are up.
pub(crate) fn newest(world: &World) -> Arc<View> {
    let views = world.hosts.iter().filter(|host| host.up);
    let views = views.filter_map(|host| host.engine.as_ref().map(|engine| engine.view().clone()));
    views.max_by_key(|view| view.epoch).unwrap_or_default()
}

/// The hosts that are up.
pub(crate) fn up(world: &World) -> BTreeSet<usize> {
    let up = world.hosts.iter().filter(|host| host.up);
    let up = up.map(|host| host.index);
    up.filter(|host| Some(*host) != world.witness).collect()
}
