//! The voters' log in the world: the real one, over the world's network.

use std::collections::BTreeSet;
use std::future::Future;
use std::time::Duration;

use openraft::errors::{RPCError, ReplicationClosed, StreamingError, Unreachable};
use openraft::network::RPCOption;
use openraft::raft::{
    AppendEntriesRequest, AppendEntriesResponse, SnapshotResponse, TransferLeaderRequest,
    TransferLeaderResponse, VoteRequest, VoteResponse,
};
use openraft::{EmptyNode, RaftNetworkFactory, RaftNetworkV2, alias};
use openraft_rt::deterministic_rng::DeterministicRng;
use openraft_rt_tokio::TokioRuntime;
use rand::RngExt as _;
use ssi_clms::core::command::Command;
use ssi_clms::core::voters::Voters;
use ssi_clms::log::{Generation, Heartbeat, Seat, Store, ViewLog, Voter, WITNESS};

use crate::host::{Host, number};
use crate::life;
use crate::world::{Event, Shared, World, clock};

/// Runs a task of the log with randomness from the world's seed.
pub(crate) fn spawn(world: &mut World, task: impl Future<Output = ()> + Send + 'static) {
    let seed: u64 = world.rng.random();
    tokio::spawn(DeterministicRng::<TokioRuntime>::scope(seed, task));
}

/// Takes the seats of all potential masters whose daemons run and have none.
pub(crate) async fn take(shared: &Shared) {
    let free: Vec<usize> = {
        let world = shared.lock();
        let now = world.now();
        let votes = |host: &&Host| {
            let node = host.index < world.potential_masters && host.engine.is_some();
            node || Some(host.index) == world.witness
        };
        let free = world
            .hosts
            .iter()
            .filter(votes)
            .filter(|host| host.up && host.seat.is_none() && host.seat_free <= now);
        free.map(|host| host.index).collect()
    };
    for host in free {
        let (store, timing, daemon, seed, generation, me) = {
            let mut world = shared.lock();
            let seed: u64 = world.rng.random();
            let timing = world.timing.clone();
            let me = if Some(host) == world.witness {
                WITNESS
            } else {
                number(host).get()
            };
            let place = &mut world.hosts[host];
            place.generation = Generation::default();
            let store = place
                .store
                .get_or_insert_with(|| Store::in_memory().expect("memory"));
            let generation = place.generation.clone();
            (store.clone(), timing, place.daemon, seed, generation, me)
        };
        let news = shared.clone();
        let wire = Wires {
            shared: shared.clone(),
            from: host,
            generation: generation.clone(),
        };
        let told = Box::new(move |applied| news.bring(host, Event::News(daemon, applied)));
        let taking = Seat::take(me, &timing, generation, wire, store, told);
        let seat = DeterministicRng::<TokioRuntime>::scope(seed, taking).await;
        let seat = seat.expect("the log opens");
        let mut guard = shared.lock();
        let world = &mut *guard;
        let place = &mut world.hosts[host];
        if place.daemon != daemon {
            continue;
        }
        place.seat = Some(seat.clone());
        if Some(host) != world.witness {
            wake_when_leading(shared, world, host, &seat);
        }
        let place = &mut world.hosts[host];
        if let Some(command) = place.refound.take() {
            world.say(|| format!("host{} founds its log: {command}", host + 1));
            spawn(world, async move {
                seat.found(command).await.expect("an empty log");
            });
        }
    }
}

/// Has a host's daemon woken as soon as its log says that it leads, or leads no more.
fn wake_when_leading(shared: &Shared, world: &mut World, host: usize, seat: &Seat) {
    let (shared, mut leading) = (shared.clone(), seat.leading());
    spawn(world, async move {
        while leading.changed().await {
            shared.bring(host, Event::Leads);
        }
    });
}

/// A host leaves its seat and takes another, with an empty log; which it founds, if it has
/// something to found it with.
pub(crate) fn anew(world: &mut World, host: usize, command: Option<Command>) {
    world.say(|| format!("host{} begins a new log", host + 1));
    let now = world.now();
    let place = &mut world.hosts[host];
    place.store = None;
    place.refound = command;
    place.seat_free = now;
    if let Some(seat) = place.seat.take() {
        spawn(world, async move { seat.leave().await });
    }
}

/// The witness does its part.
pub(crate) fn attend(shared: &Shared) {
    let mut guard = shared.lock();
    let world = &mut *guard;
    let now = world.now();
    let Some(place) = world.witness.map(|host| &world.hosts[host]) else {
        return;
    };
    let quiet = Duration::from_nanos(now - place.heard);
    if let Some(seat) = place.seat.clone() {
        spawn(world, async move { seat.witness(quiet).await });
    }
}

/// As a master does: sees to it that the right ones vote.
pub(crate) fn see_to_voters(shared: &Shared, voters: &mut Voters) {
    let mut guard = shared.lock();
    let world = &mut *guard;
    let now = world.now();
    let Some(master) = world.hosts.iter().position(|host| host.masters(now)) else {
        return;
    };
    let local = clock(world, master);
    let Some(engine) = &mut world.hosts[master].engine else {
        return;
    };
    let wanted = engine.wanted_voters(local, voters);
    life::put_all_out(shared, world, master);
    if let (Some(wanted), Some(seat)) = (wanted, world.hosts[master].seat.clone()) {
        let wanted: BTreeSet<Voter> = wanted.numbers().collect();
        world.say(|| format!("voters shall be {wanted:?}"));
        spawn(world, async move {
            // Not done now is done later.
            let _ = seat.set_voters(wanted).await;
        });
    }
}

/// A host's ways to the other seats.
#[derive(Clone, Debug)]
struct Wires {
    shared: Shared,
    from: usize,
    generation: Generation,
}

impl RaftNetworkFactory<ViewLog> for Wires {
    type Network = Wire;

    async fn new_client(&mut self, target: Voter, _: &EmptyNode) -> Wire {
        Wire {
            shared: self.shared.clone(),
            from: self.from,
            generation: self.generation.clone(),
            to: match (target, self.shared.lock().witness) {
                (WITNESS, Some(host)) => host,
                _ => usize::from(target) - 1,
            },
        }
    }
}

/// A host's way to one other seat.
#[derive(Clone, Debug)]
struct Wire {
    shared: Shared,
    from: usize,
    generation: Generation,
    to: usize,
}

type Failed = RPCError<ViewLog>;

impl Wire {
    /// One way of a call: how long it takes, and whether it arrives while both daemons run.
    async fn way(&self, from: usize, to: usize, ttl: Duration) -> Result<(), Failed> {
        let delay = {
            let mut guard = self.shared.lock();
            let world = &mut *guard;
            world.links.stream(from, to, &mut world.rng)
        };
        match delay {
            Some(delay) if delay < ttl => tokio::time::sleep(delay).await,
            _ => {
                tokio::time::sleep(ttl).await;
                return Err(unreachable());
            }
        }
        let mut waited = Duration::ZERO;
        while self.is_stopped(from) || self.is_stopped(to) {
            if waited >= ttl {
                return Err(unreachable());
            }
            let step = Duration::from_millis(10);
            tokio::time::sleep(step).await;
            waited += step;
        }
        Ok(())
    }

    fn is_stopped(&self, host: usize) -> bool {
        self.shared.lock().hosts[host].paused
    }

    /// The other's log, if it is there: by the door if its kernel lets this host in by no
    /// other way.
    fn other(&self) -> Result<Seat, Failed> {
        let world = self.shared.lock();
        let there = &world.hosts[self.to];
        let seat = there.seat.as_ref().filter(|seat| {
            let own = seat.generation();
            there.up && own.is_none_or(|own| own == self.generation.get())
        });
        seat.cloned().ok_or_else(unreachable)
    }

    /// A heartbeat by datagram: whether the other has agreed shortly after. Its kernel lets
    /// only members in.
    async fn beat(&self, leader: Voter, heartbeat: Heartbeat) -> bool {
        let agreed = async {
            let seat = {
                let world = self.shared.lock();
                let known = |host: usize| world.hosts[host].engine.as_ref();
                let (from, to) = (known(self.from)?, known(self.to)?);
                let (own, there) = (from.id()?, to.id()?);
                let members = from.view().has(there) && to.view().has(own);
                let seat = world.hosts[self.to].seat.clone();
                seat.filter(|_| members)?
            };
            self.datagram(self.from, self.to).await?;
            let agrees = seat.agrees(leader, heartbeat).await;
            agrees.then_some(())?;
            self.datagram(self.to, self.from).await
        };
        let agreed = tokio::time::timeout(Duration::from_millis(25), agreed).await;
        if let Ok(Some(())) = agreed {
            let mut world = self.shared.lock();
            world.hosts[self.to].heard = world.now();
            return true;
        }
        false
    }

    /// A datagram's way, while both daemons run; it comes, or it never does.
    async fn datagram(&self, from: usize, to: usize) -> Option<()> {
        let delay = {
            let mut guard = self.shared.lock();
            let world = &mut *guard;
            world.traffic.datagram(from);
            world.links.datagram(from, to, &mut world.rng)
        };
        tokio::time::sleep(delay?).await;
        while self.is_stopped(from) || self.is_stopped(to) {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        Some(())
    }

    async fn call<T, F>(
        &self,
        option: &RPCOption,
        call: impl FnOnce(Seat) -> F,
    ) -> Result<T, Failed>
    where
        F: Future<Output = Option<T>>,
    {
        let ttl = option.hard_ttl();
        self.way(self.from, self.to, ttl).await?;
        let said = call(self.other()?).await.ok_or_else(unreachable)?;
        self.way(self.to, self.from, ttl).await?;
        Ok(said)
    }
}

fn unreachable() -> Failed {
    RPCError::Unreachable(Unreachable::from_string("nobody answers"))
}

impl RaftNetworkV2<ViewLog> for Wire {
    type SnapshotData = Vec<u8>;

    async fn append_entries(
        &mut self,
        rpc: AppendEntriesRequest<ViewLog>,
        option: RPCOption,
    ) -> Result<AppendEntriesResponse<ViewLog>, Failed> {
        let leader = number(self.from).get();
        if let Some(heartbeat) = Heartbeat::of(&rpc, leader, self.generation.get())
            && self.beat(leader, heartbeat).await
        {
            return Ok(AppendEntriesResponse::Success);
        }
        let size = |bytes: Result<Vec<u8>, _>| bytes.map_or(0, |bytes| bytes.len());
        let question = size(postcard::to_stdvec(&(0_u64, 0_u8, &rpc)));
        let said = self.call(&option, |seat| async move { seat.append(rpc).await.ok() });
        let said = said.await?;
        let answer = size(postcard::to_stdvec(&said));
        let mut world = self.shared.lock();
        world.traffic.call(self.from, self.to, question, answer);
        world.hosts[self.to].heard = world.now();
        Ok(said)
    }

    async fn transfer_leader(
        &mut self,
        rpc: TransferLeaderRequest<ViewLog>,
        option: RPCOption,
    ) -> Result<TransferLeaderResponse<ViewLog>, Failed> {
        self.call(&option, |seat| async move {
            seat.raft().handle_transfer_leader(rpc).await.ok()
        })
        .await
    }

    async fn vote(
        &mut self,
        rpc: VoteRequest<ViewLog>,
        option: RPCOption,
    ) -> Result<VoteResponse<ViewLog>, Failed> {
        self.call(&option, |seat| async move { seat.vote(rpc).await.ok() })
            .await
    }

    async fn pre_vote(
        &mut self,
        rpc: VoteRequest<ViewLog>,
        option: RPCOption,
    ) -> Result<VoteResponse<ViewLog>, Failed> {
        self.call(&option, |seat| async move {
            seat.raft().pre_vote(rpc).await.ok()
        })
        .await
    }

    async fn full_snapshot(
        &mut self,
        vote: alias::VoteOf<ViewLog>,
        snapshot: alias::SnapshotOf<ViewLog, Vec<u8>>,
        _cancel: impl Future<Output = ReplicationClosed> + Send + 'static,
        option: RPCOption,
    ) -> Result<SnapshotResponse<ViewLog>, StreamingError<ViewLog>> {
        let sent = self
            .call(&option, |seat| async move {
                let raft = seat.raft();
                raft.install_full_snapshot(vote, snapshot).await.ok()
            })
            .await;
        sent.map_err(|_| StreamingError::Unreachable(Unreachable::from_string("nobody answers")))
    }
}
