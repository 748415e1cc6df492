//! One machine: its kernel, its disk, its daemon.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use rand::RngExt as _;
use rand::rngs::SmallRng;
use ssi_clms::core::command::Command;
use ssi_clms::core::engine::Engine;
use ssi_clms::core::member::Candidate;
use ssi_clms::core::{NodeId, Number, Time, View};
use ssi_clms::log::{Generation, Seat, Store};

use crate::clock::Clock;
use crate::world::Arrival;

/// What the XDP program does and keeps: it goes on while the daemon doesn't.
#[derive(Debug, Default)]
pub(crate) struct Kernel {
    /// The view it goes by: nobody else is let in.
    pub(crate) view: Option<Arc<View>>,
    /// This life.
    pub(crate) id: Option<NodeId>,
    /// Until when the lease lasts, by its clock.
    pub(crate) lease: Time,
    /// The last nonce of each prober.
    nonces: BTreeMap<NodeId, u64>,
}

/// A probe on its way.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Probe {
    /// Who sent it.
    pub(crate) from: NodeId,
    /// To whom.
    pub(crate) to: NodeId,
    /// Its number.
    pub(crate) nonce: u64,
    /// From which reading of the target's clock it renews the lease, and for how long.
    pub(crate) grant: Option<(u64, u64)>,
    /// Whether the daemon is to answer, not the kernel.
    pub(crate) supervisor: bool,
    /// Under which key.
    pub(crate) key: u16,
}

/// A reflected probe.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reflection {
    /// Who reflected it.
    pub(crate) from: NodeId,
    /// The probe's number.
    pub(crate) nonce: u64,
    /// The reflector's clock.
    pub(crate) clock: u64,
    /// Whether it holds a lease.
    pub(crate) holds: bool,
    /// Whether the daemon answered.
    pub(crate) supervisor: bool,
}

impl Kernel {
    /// Lets in members only.
    pub(crate) fn lets_in(&self, from: NodeId) -> bool {
        self.view.as_ref().is_some_and(|view| view.has(from))
    }

    /// Whether it has a key: that of its view, or the one before.
    pub(crate) fn knows(&self, key: u16) -> bool {
        let keys = self.view.as_ref().map(|view| &view.probe_keys);
        keys.is_some_and(|keys| keys.iter().any(|known| known.id == key))
    }

    /// Reflects a probe, unless it is from no member, for another life, or an old one.
    pub(crate) fn reflect(&mut self, now: Time, probe: &Probe) -> Option<Reflection> {
        let last = self.nonces.get(&probe.from).copied().unwrap_or(0);
        let strange = !self.knows(probe.key) || !self.lets_in(probe.from);
        if self.id != Some(probe.to) || strange || probe.nonce <= last {
            return None;
        }
        self.nonces.insert(probe.from, probe.nonce);
        let holds = self.lease > now;
        if let Some((clock, lease)) = probe.grant
            && holds
            && clock <= now.0
        {
            self.lease = self.lease.max(Time(clock + lease));
        }
        Some(Reflection {
            from: probe.to,
            nonce: probe.nonce,
            clock: now.0,
            holds,
            supervisor: false,
        })
    }
}

/// A machine.
#[derive(Debug)]
pub(crate) struct Host {
    /// Its place among the hosts; node numbers are one more.
    pub(crate) index: usize,
    pub(crate) clock: Clock,
    /// Whether it is switched on.
    pub(crate) up: bool,
    /// Whether its daemon is stopped (SIGSTOP) until it is continued.
    pub(crate) paused: bool,
    pub(crate) kernel: Kernel,
    pub(crate) engine: Option<Engine>,
    /// Counts its daemons, so that nothing meant for one reaches the next.
    pub(crate) daemon: u64,
    pub(crate) candidate: Candidate,
    /// The view that its disk keeps.
    pub(crate) saved: Option<Arc<View>>,
    /// What its disk keeps of the log.
    pub(crate) store: Option<Store>,
    pub(crate) seat: Option<Seat>,
    /// Which generation of the log its seat has.
    pub(crate) generation: Generation,
    /// With what its log is to be founded anew once it has a seat again.
    pub(crate) refound: Option<Command>,
    /// When a leader of the log was last heard, if it is the witness.
    pub(crate) heard: u64,
    /// When its seat may be taken again.
    pub(crate) seat_free: u64,
    /// What has come for a stopped daemon: socket buffers.
    pub(crate) waiting: VecDeque<Arrival>,
    /// When its daemon is to be woken next.
    pub(crate) wake: u64,
}

impl Host {
    /// A host that has never been switched on.
    pub(crate) fn new(index: usize, rng: &mut SmallRng) -> Self {
        Self {
            index,
            clock: Clock::new(
                rng.random_range(1..1_000_000) * 1_000_000,
                // Up to the drift that is allowed for.
                rng.random_range(-900..900),
            ),
            up: false,
            paused: false,
            kernel: Kernel::default(),
            engine: None,
            daemon: 0,
            candidate: crate::life::candidate(index),
            saved: None,
            store: None,
            seat: None,
            generation: Generation::default(),
            refound: None,
            heard: 0,
            seat_free: 0,
            waiting: VecDeque::new(),
            wake: u64::MAX,
        }
    }

    /// Its clock now.
    pub(crate) fn now(&self, world: u64) -> Time {
        self.clock.at(world)
    }

    /// Which member it is, if it is one.
    pub(crate) fn id(&self) -> Option<NodeId> {
        self.engine.as_ref().and_then(Engine::id)
    }

    /// Whether it may do what only the owner of `resource` may, and would.
    pub(crate) fn acts_for(&self, world: u64, resource: &str) -> bool {
        // Without its daemon, its kernel acts by the view that it was told last.
        let owns = match &self.engine {
            Some(engine) => engine.owns(resource),
            None => self.kernel.view.as_ref().is_some_and(|view| {
                let held = view.owners.get(resource);
                self.kernel.id.is_some() && held.and_then(|held| held.owner) == self.kernel.id
            }),
        };
        self.up && self.kernel.lease > self.now(world) && owns
    }

    /// Whether it gives leases as the master.
    pub(crate) fn masters(&self, world: u64) -> bool {
        let now = self.now(world);
        self.up
            && self
                .engine
                .as_ref()
                .is_some_and(|engine| engine.is_master(now))
    }
}

/// The node number of a host.
pub(crate) fn number(index: usize) -> Number {
    let number = u16::try_from(index + 1).ok().and_then(Number::new);
    number.expect("there are fewer hosts")
}
