//! The world: time, events, hosts, network. Everything in it follows from its seed.

use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rand::SeedableRng as _;
use rand::rngs::SmallRng;
use ssi_clms::core::message::Message;
use ssi_clms::core::{Epoch, NodeId, Time, Timing};
use ssi_clms::log::{Applied, NotWritten};
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::host::{Host, Probe, Reflection, number};
use crate::invariants::Invariants;
use crate::links::Links;
use crate::traffic::Traffic;

/// What reaches a daemon.
#[derive(Clone, Debug)]
pub(crate) enum Arrival {
    Reflection(Reflection),
    /// A probe for the daemon.
    Asks(Probe),
    /// A message, from a member if the kernel lets its sender in.
    Message(Option<NodeId>, Box<Message>),
}

/// What happens.
#[derive(Debug)]
pub(crate) enum Event {
    /// A daemon has something to do; unless it has been planned anew since.
    Wake,
    /// A host's log says that it leads, or leads no more.
    Leads,
    /// A probe reaches a kernel.
    Probe(Probe),
    /// Something reaches a daemon.
    Arrival { to: Option<NodeId>, what: Arrival },
    /// A subsystem has taken a view in.
    Took(u64, String, Epoch),
    /// The log has committed something.
    News(u64, Applied),
    /// The fencing device switches a host off, or not, for another.
    SwitchOff { by: usize, id: NodeId, request: u64 },
    /// What the fencing device says of a request.
    Fenced(u64, u64, NodeId, bool),
    /// What became of a proposal.
    Proposed(
        u64,
        Result<Result<Epoch, ssi_clms::core::command::Refused>, NotWritten>,
    ),
}

/// How the fencing device is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fencing {
    Works,
    Fails,
    /// Never says anything.
    Hangs,
}

#[derive(Debug)]
struct Due {
    at: u64,
    order: u64,
    host: usize,
    event: Event,
}

impl PartialEq for Due {
    fn eq(&self, other: &Self) -> bool {
        (self.at, self.order) == (other.at, other.order)
    }
}

impl Eq for Due {}

impl PartialOrd for Due {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Due {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.at, self.order).cmp(&(other.at, other.order))
    }
}

/// All there is.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) rng: SmallRng,
    pub(crate) timing: Timing,
    pub(crate) hosts: Vec<Host>,
    pub(crate) links: Links,
    pub(crate) invariants: Invariants,
    /// How many hosts may vote.
    pub(crate) potential_masters: usize,
    /// The host that is no node but the witness, if there is one: the last.
    pub(crate) witness: Option<usize>,
    /// What can switch hosts off, if anything can.
    pub(crate) fencing: Option<Fencing>,
    /// Hosts whose daemons a master has found stalled.
    pub(crate) stalled: BTreeSet<usize>,
    /// What has gone over the network.
    pub(crate) traffic: Traffic,
    /// Print every message too.
    pub(crate) tells: bool,
    /// Print what happens.
    pub(crate) loud: bool,
    began: Instant,
    order: u64,
    due: BinaryHeap<Reverse<Due>>,
    /// What the log's tasks have brought since the last look.
    inbox: VecDeque<(usize, Event)>,
}

/// The world, as the log's tasks share it.
#[derive(Clone, Debug)]
pub(crate) struct Shared {
    world: Arc<Mutex<World>>,
    news: Arc<Notify>,
}

impl World {
    /// A world with so many hosts, all switched off.
    pub(crate) fn new(seed: u64, hosts: usize) -> Self {
        let mut rng = SmallRng::seed_from_u64(seed);
        let hosts = (0..hosts).map(|index| Host::new(index, &mut rng)).collect();
        Self {
            rng,
            timing: Timing::default(),
            hosts,
            links: Links::default(),
            invariants: Invariants::default(),
            potential_masters: 7,
            witness: None,
            fencing: None,
            stalled: BTreeSet::new(),
            traffic: Traffic::default(),
            tells: std::env::var_os("SSI_SIM_MESSAGES").is_some(),
            loud: false,
            began: Instant::now(),
            order: 0,
            due: BinaryHeap::new(),
            inbox: VecDeque::new(),
        }
    }

    /// Nanoseconds since the world began.
    pub(crate) fn now(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }

    /// Something will happen.
    pub(crate) fn plan(&mut self, after: Duration, host: usize, event: Event) {
        let at = self.now() + u64::try_from(after.as_nanos()).unwrap_or(u64::MAX);
        self.plan_at(at, host, event);
    }

    /// Something will happen at a moment.
    pub(crate) fn plan_at(&mut self, at: u64, host: usize, event: Event) {
        self.order += 1;
        self.due.push(Reverse(Due {
            at,
            order: self.order,
            host,
            event,
        }));
    }

    /// The daemon of a host is to be woken when it wants.
    pub(crate) fn plan_wake(&mut self, host: usize) {
        let now = self.now();
        let place = &mut self.hosts[host];
        let Some(engine) = &place.engine else { return };
        let at = place.clock.when(engine.due()).max(now);
        if place.wake <= now || at < place.wake {
            place.wake = at;
            self.plan_at(at, host, Event::Wake);
        }
    }

    /// The daemon of a host is to be woken at once.
    pub(crate) fn wake(&mut self, host: usize) {
        let now = self.now();
        self.hosts[host].wake = now;
        self.plan_at(now, host, Event::Wake);
    }

    /// Says what happens, if anybody wants to know.
    pub(crate) fn say(&self, what: impl FnOnce() -> String) {
        if self.loud {
            let now = Duration::from_nanos(self.now());
            println!("{:10.4} {}", now.as_secs_f64(), what());
        }
    }

    fn next(&self) -> u64 {
        self.due.peek().map_or(u64::MAX, |Reverse(due)| due.at)
    }
}

impl Shared {
    /// A world to share.
    pub(crate) fn new(world: World) -> Self {
        Self {
            world: Arc::new(Mutex::new(world)),
            news: Arc::new(Notify::new()),
        }
    }

    /// The world, for a moment; never across an await.
    pub(crate) fn lock(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Brings something from a task of the log into the world.
    pub(crate) fn bring(&self, host: usize, event: Event) {
        self.lock().inbox.push_back((host, event));
        self.news.notify_one();
    }

    /// Lets time pass.
    pub(crate) async fn pass(&self, span: Duration) {
        let until = self.lock().now() + u64::try_from(span.as_nanos()).unwrap_or(u64::MAX);
        loop {
            let (began, next) = {
                let world = self.lock();
                (world.began, world.next().min(until))
            };
            tokio::select! {
                biased;
                () = self.news.notified() => {}
                () = tokio::time::sleep_until(began + Duration::from_nanos(next)) => {}
            }
            loop {
                let (host, event) = {
                    let mut world = self.lock();
                    let now = world.now();
                    match world.inbox.pop_front() {
                        Some(brought) => brought,
                        None if world.next() <= now => {
                            let Some(Reverse(due)) = world.due.pop() else {
                                break;
                            };
                            (due.host, due.event)
                        }
                        None => break,
                    }
                };
                crate::life::happen(self, host, event);
            }
            if self.lock().now() >= until {
                return;
            }
        }
    }
}

/// What a host's clock shows now.
pub(crate) fn clock(world: &World, host: usize) -> Time {
    world.hosts[host].now(world.now())
}

/// The host of a node.
pub(crate) fn host_of(id: NodeId) -> usize {
    debug_assert!(number(usize::from(id.number.get()) - 1) == id.number);
    usize::from(id.number.get()) - 1
}
