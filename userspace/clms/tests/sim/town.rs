//! What a scenario can do to the world, and find out about it.

use std::collections::BTreeSet;
use std::time::Duration;

use rand::RngExt as _;
use rand::seq::SliceRandom as _;
use ssi_clms::core::State;
use ssi_clms::core::command::Command;
use ssi_clms::core::engine::Engine;
use ssi_clms::core::voters::Voters;
use ssi_clms::core::witness::Witness;

use crate::host::{Host, number};
use crate::invariants::{Bounded, Invariants};
use crate::life::{self, RESOURCES};
use crate::scenarios::ms;
use crate::seats;
use crate::world::{Fencing, Shared, World};

/// A world and who tends it.
pub(crate) struct Town {
    pub(crate) shared: Shared,
    voters: Voters,
    /// How long things took.
    pub(crate) spans: Vec<(&'static str, Duration)>,
}

impl Town {
    /// A new world from a seed.
    pub(crate) fn new(seed: u64, hosts: usize, loud: bool) -> Self {
        let mut world = World::new(seed, hosts);
        world.loud = loud;
        Self {
            shared: Shared::new(world),
            voters: Voters::default(),
            spans: Vec::new(),
        }
    }

    /// The moment.
    pub(crate) fn now(&self) -> Duration {
        Duration::from_nanos(self.shared.lock().now())
    }

    /// Notes how long something took.
    pub(crate) fn took(&mut self, what: &'static str, since: Duration) {
        let span = self.now() - since;
        self.spans.push((what, span));
    }

    /// Whether a fault is to happen once more: it has `rounds` times, or is to for an hour.
    pub(crate) fn goes_on(&self, round: u64, rounds: u64) -> bool {
        if crate::hour() {
            self.now() < ms(3_600_000)
        } else {
            round < rounds
        }
    }

    /// How long a fault is to last: so many milliseconds, or an hour.
    pub(crate) fn span(&self, span: u64) -> Duration {
        ms(if crate::hour() { 3_600_000 } else { span })
    }

    /// What has happened.
    pub(crate) fn account(&self) -> String {
        let view = life::newest(&self.shared.lock());
        format!(
            "{:.0} s, {} changes of the view, {} of them put nodes out, none of them a healthy one",
            self.now().as_secs_f64(),
            view.epoch,
            self.removals()
        )
    }

    /// These hosts are well again: they may not be put out any more.
    pub(crate) fn well(&mut self, hosts: &[usize]) {
        let mut world = self.shared.lock();
        for host in hosts {
            world.invariants.healthy.faulty.remove(host);
        }
    }

    /// How many hosts there are that are nodes.
    pub(crate) fn hosts(&self) -> usize {
        let world = self.shared.lock();
        world.witness.unwrap_or(world.hosts.len())
    }

    /// Only so many hosts can become masters.
    pub(crate) fn potential_masters(&mut self, most: usize) {
        self.shared.lock().potential_masters = most;
    }

    /// From now on there is something that can switch hosts off, more or less.
    pub(crate) fn fencing(&mut self, fencing: Fencing) {
        self.shared.lock().fencing = Some(fencing);
    }

    /// Switches another machine on, which is to be the witness. Nobody knows yet.
    pub(crate) fn add_witness(&mut self) {
        let mut guard = self.shared.lock();
        let world = &mut *guard;
        let index = world.hosts.len();
        let mut host = Host::new(index, &mut world.rng);
        host.up = true;
        world.hosts.push(host);
        world.witness = Some(index);
    }

    /// Makes the witness known, or says that there is none any more.
    pub(crate) fn name_witness(&mut self, is_one: bool) {
        let witness = is_one.then(|| Witness {
            key: [9; 32],
            addresses: Vec::new(),
        });
        self.write(Command::Witness { witness });
    }

    /// An operator says at a host that whom it waits for is off.
    pub(crate) fn take_over(&mut self, host: usize) -> Result<(), String> {
        let mut guard = self.shared.lock();
        let world = &mut *guard;
        let local = world.hosts[host].now(world.now());
        world.say(|| format!("host{} is told to go on", host + 1));
        let engine = world.hosts[host].engine.as_mut().ok_or("it is off")?;
        engine.take_over(local).map_err(|why| why.to_string())?;
        world.wake(host);
        Ok(())
    }

    /// Lets time pass; what masters do from time to time is done. An error if something
    /// happened that must not.
    pub(crate) async fn pass(&mut self, span: Duration) -> Result<(), String> {
        let mut left = span;
        while !left.is_zero() {
            let step = left.min(ms(50));
            Invariants::check_all(&mut self.shared.lock());
            seats::take(&self.shared).await;
            self.shared.pass(step).await;
            seats::see_to_voters(&self.shared, &mut self.voters);
            seats::attend(&self.shared);
            left -= step;
            if let Some(broken) = &self.shared.lock().invariants.broken {
                return Err(broken.clone());
            }
        }
        Ok(())
    }

    /// Lets time pass until something is so.
    pub(crate) async fn until(
        &mut self,
        what: &str,
        patience: Duration,
        is_so: impl Fn(&World) -> bool,
    ) -> Result<(), String> {
        let mut waited = Duration::ZERO;
        while !is_so(&self.shared.lock()) {
            if waited >= patience {
                let unsettled = self.settled().err().unwrap_or_default();
                return Err(format!("after {patience:?} still not: {what}; {unsettled}"));
            }
            self.pass(ms(10)).await?;
            waited += ms(10);
        }
        Ok(())
    }

    /// All hosts start at once, the first founds the cluster, the others join.
    pub(crate) async fn form(&mut self) -> Result<(), String> {
        self.form_within(ms(5_000)).await
    }

    /// The same, with more patience.
    pub(crate) async fn form_within(&mut self, patience: Duration) -> Result<(), String> {
        self.found().await?;
        self.converge(patience).await
    }

    /// All hosts start at once and the first founds the cluster; the others are about to join.
    pub(crate) async fn found(&mut self) -> Result<(), String> {
        let everybody: Vec<usize> = (0..self.hosts()).collect();
        self.boot(&everybody);
        self.found_by_first().await
    }

    /// The first, which is switched on, founds the cluster.
    pub(crate) async fn found_by_first(&mut self) -> Result<(), String> {
        seats::take(&self.shared).await;
        let (seat, command) = {
            let mut world = self.shared.lock();
            let identity: u64 = world.rng.random();
            let first = &world.hosts[0];
            let command = Command::Found {
                cluster: "town".to_owned(),
                identity,
                max_nodes: 4_000,
                number: number(0),
                candidate: first.candidate.clone(),
                probe_key: [1, 2],
            };
            (first.seat.clone().expect("taken"), command)
        };
        seat.found(command).await.map_err(|error| error.to_string())
    }

    /// As a user of the master's: has it tell a subsystem something. Nobody may be the
    /// master just now, or it may not get to write it.
    pub(crate) fn tell(&mut self) {
        let said: u64 = self.shared.lock().rng.random();
        self.write(Command::Tell {
            subsystem: "lvs".to_owned(),
            body: said.to_be_bytes().to_vec(),
        });
    }

    fn write(&mut self, command: Command) {
        let Some(master) = self.master() else { return };
        let mut guard = self.shared.lock();
        let world = &mut *guard;
        let local = world.hosts[master].now(world.now());
        let place = &mut world.hosts[master];
        let engine = place.engine.as_mut();
        let entry = engine.and_then(|engine| engine.entry(local, command).ok());
        if let (Some(entry), Some(seat)) = (entry, place.seat.clone()) {
            seats::spawn(world, async move {
                // What was not written is not told.
                let _ = seat.propose(entry).await;
            });
        }
    }

    /// How often somebody was told something.
    pub(crate) fn told(&self) -> usize {
        self.shared.lock().invariants.agreement.told()
    }

    /// The host that is the master.
    pub(crate) fn master(&self) -> Option<usize> {
        let world = self.shared.lock();
        let now = world.now();
        world.hosts.iter().position(|host| host.masters(now))
    }

    /// The host that acts for a resource.
    pub(crate) fn owner(&self, resource: &str) -> Option<usize> {
        let world = self.shared.lock();
        let (now, mut hosts) = (world.now(), world.hosts.iter());
        hosts.position(|host| host.acts_for(now, resource))
    }

    /// The hosts that vote.
    pub(crate) fn voters(&self) -> Vec<usize> {
        let view = life::newest(&self.shared.lock());
        let numbers = view.voters.iter();
        numbers
            .map(|number| usize::from(number.get()) - 1)
            .collect()
    }

    /// A number, `least` to `most`.
    pub(crate) fn between(&mut self, least: u64, most: u64) -> u64 {
        self.shared.lock().rng.random_range(least..=most)
    }

    /// Some hosts, `least` to `most` of them.
    pub(crate) fn some(&mut self, least: usize, most: usize) -> Vec<usize> {
        let mut world = self.shared.lock();
        let count = world.rng.random_range(least..=most);
        let nodes = world.witness.unwrap_or(world.hosts.len());
        let mut all: Vec<usize> = (0..nodes).collect();
        all.shuffle(&mut world.rng);
        all.truncate(count);
        all
    }

    /// Some hosts, up to `most` of them, without whom a majority still votes.
    pub(crate) fn minority(&mut self, most: usize) -> Vec<usize> {
        let voters = self.voters();
        let mut votes = (voters.len() - 1) / 2;
        let mut some = self.some(1, most);
        some.retain(|host| {
            let keep = !voters.contains(host) || votes > 0;
            votes -= usize::from(keep && voters.contains(host));
            keep
        });
        some
    }

    /// These hosts may be put out.
    pub(crate) fn faulty(&mut self, hosts: &[usize]) {
        self.shared.lock().invariants.healthy.faulty.extend(hosts);
    }

    /// From now on the view may change so many times.
    pub(crate) fn limit(&mut self, changes: u64) {
        let bounded: &mut Bounded = &mut self.shared.lock().invariants.bounded;
        bounded.limit = Some(bounded.newest + changes);
    }

    /// From now on the view may change as often as it likes.
    pub(crate) fn unlimited(&mut self) {
        self.shared.lock().invariants.bounded.limit = None;
    }

    /// How many different numbers of members there have been.
    pub(crate) fn sizes(&self) -> usize {
        self.shared.lock().invariants.bounded.sizes.len()
    }

    /// How many changes of the view have put nodes out.
    pub(crate) fn removals(&self) -> usize {
        self.shared.lock().invariants.bounded.removals.len()
    }

    /// All is well within a time.
    pub(crate) async fn converge(&mut self, patience: Duration) -> Result<(), String> {
        self.until("all is well", patience, |world| settled(world).is_ok())
            .await
    }

    /// All is well now.
    pub(crate) fn settled(&self) -> Result<(), String> {
        settled(&self.shared.lock())
    }
}

/// Everybody who is switched on is up in the same view, one master leads, and what there
/// is to own has an owner who acts.
fn settled(world: &World) -> Result<(), String> {
    let now = world.now();
    let view = life::newest(world);
    let up: BTreeSet<usize> = life::up(world);
    for host in &up {
        let place = &world.hosts[*host];
        let Some(id) = place.id() else {
            return Err(format!("host{} is no member of {}", host + 1, view.epoch));
        };
        let state = view.member(id).map(|member| member.state);
        if state != Some(State::Up) {
            return Err(format!("node {id} is {state:?}"));
        }
        let engine = place.engine.as_ref();
        let epoch = engine.map(|engine| engine.view().epoch);
        if epoch != Some(view.epoch) {
            return Err(format!("node {id} is at {epoch:?}, not {}", view.epoch));
        }
        if place.kernel.lease <= place.now(now) || engine.is_some_and(Engine::is_fenced) {
            return Err(format!("node {id} has no lease"));
        }
    }
    if view.present().count() != up.len() || view.leaving().next().is_some() {
        return Err(format!(
            "{} members, {} hosts are up",
            view.present().count(),
            up.len()
        ));
    }
    let Some(master) = world.hosts.iter().find(|host| host.masters(now)) else {
        return Err("nobody is the master".to_owned());
    };
    let wanted = Voters::default().wanted(master.now(now), &view, &BTreeSet::new(), &world.timing);
    if let Some(wanted) = wanted {
        return Err(format!("{:?} vote, not {wanted:?}", view.voters));
    }
    for resource in RESOURCES {
        if !world.hosts.iter().any(|host| host.acts_for(now, resource)) {
            return Err(format!(
                "nobody acts for {resource}: {:?}",
                view.owners.get(resource)
            ));
        }
    }
    Ok(())
}
