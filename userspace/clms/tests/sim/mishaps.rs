//! What goes wrong in a town, and well again: machines, daemons, the network.

use std::time::Duration;

use crate::life;
use crate::scenarios::ms;
use crate::town::Town;
use crate::world::clock;

impl Town {
    /// Switches hosts on.
    pub(crate) fn boot(&mut self, hosts: &[usize]) {
        let mut world = self.shared.lock();
        for host in hosts {
            world.hosts[*host].up = true;
            life::start_daemon(&mut world, *host);
        }
    }

    /// Whether a host is switched on.
    pub(crate) fn is_up(&self, host: usize) -> bool {
        self.shared.lock().hosts[host].up
    }

    /// Whether a host's daemon knows that it is no member.
    fn has_left(&self, host: usize) -> bool {
        self.shared.lock().hosts[host].id().is_none()
    }

    /// Whether a host's daemon runs.
    pub(crate) fn runs(&self, host: usize) -> bool {
        self.shared.lock().hosts[host].engine.is_some()
    }

    /// Switches a machine on that is no node.
    pub(crate) fn switch_on(&mut self, host: usize) {
        self.shared.lock().hosts[host].up = true;
    }

    /// Switches hosts off, all at one moment. From now on they may be put out.
    pub(crate) async fn crash(&mut self, hosts: &[usize]) {
        self.faulty(hosts);
        let seats: Vec<_> = {
            let mut world = self.shared.lock();
            hosts
                .iter()
                .filter_map(|host| life::crash(&mut world, *host))
                .collect()
        };
        for seat in seats {
            seat.leave().await;
        }
    }

    /// All hosts are switched off, within a while, and on again, within another.
    pub(crate) async fn power_cut(&mut self, torn: Duration) -> Result<(), String> {
        let most = torn.as_millis() as u64;
        let everybody = self.some(self.hosts(), self.hosts());
        for host in &everybody {
            self.crash(&[*host]).await;
            if most > 0 {
                let next = self.between(0, 2 * most / everybody.len() as u64);
                self.pass(ms(next)).await?;
            }
        }
        let off = self.between(300, 3_000);
        self.pass(ms(off)).await?;
        let everybody = self.some(self.hosts(), self.hosts());
        for host in &everybody {
            self.boot(&[*host]);
            if most > 0 {
                let next = self.between(0, 2 * most / everybody.len() as u64);
                self.pass(ms(next)).await?;
            }
        }
        Ok(())
    }

    /// A host's user has it leave, and says so every 100 ms until it has.
    pub(crate) async fn leave(&mut self, host: usize) -> Result<(), String> {
        for tries in 0..500 {
            if self.has_left(host) {
                return Ok(());
            }
            if tries % 10 == 0 {
                self.wants_to_leave(host);
            }
            self.pass(ms(10)).await?;
        }
        Err(format!("host{} can't leave", host + 1))
    }

    /// A host's user says that it is to leave.
    pub(crate) fn wants_to_leave(&mut self, host: usize) {
        let mut world = self.shared.lock();
        let now = clock(&world, host);
        world.say(|| format!("host{} wants to leave", host + 1));
        if let Some(engine) = &mut world.hosts[host].engine {
            engine.leave(now);
        }
        world.wake(host);
    }

    /// Kills daemons; their kernels go on.
    pub(crate) async fn kill_daemons(&mut self, hosts: &[usize]) {
        let seats: Vec<_> = {
            let mut world = self.shared.lock();
            let killed = hosts.iter();
            killed
                .filter_map(|host| life::kill_daemon(&mut world, *host))
                .collect()
        };
        for seat in seats {
            seat.leave().await;
        }
    }

    /// Starts daemons that were killed.
    pub(crate) fn start_daemons(&mut self, hosts: &[usize]) {
        let mut world = self.shared.lock();
        for host in hosts {
            life::start_daemon(&mut world, *host);
        }
    }

    /// Stops daemons, or lets them go on.
    pub(crate) fn pause(&mut self, hosts: &[usize], stop: bool) {
        let mut world = self.shared.lock();
        for host in hosts {
            world.say(|| {
                format!(
                    "host{} {}",
                    host + 1,
                    if stop { "stops" } else { "goes on" }
                )
            });
            world.hosts[*host].paused = stop;
            world.wake(*host);
        }
    }

    /// Cuts the way from one host to another.
    pub(crate) fn cut(&mut self, from: usize, to: usize) {
        let mut world = self.shared.lock();
        world.links.set(from, to, false);
        world.say(|| format!("host{} no longer reaches host{}", from + 1, to + 1));
    }

    /// Cuts some hosts off from the others.
    pub(crate) fn split(&mut self, some: &[usize]) {
        let hosts = self.hosts();
        for one in some {
            for other in (0..hosts).filter(|host| !some.contains(host)) {
                self.cut(*one, other);
                self.cut(other, *one);
            }
        }
        let world = self.shared.lock();
        world.say(|| format!("hosts {some:?} + 1 are cut off"));
    }

    /// The network loses packets from now on.
    pub(crate) fn lose(&mut self, part: f64) {
        self.shared.lock().links.loss = part;
    }

    /// One host's packets are lost from now on, both ways.
    pub(crate) fn lose_at(&mut self, host: usize, part: f64) {
        self.shared.lock().links.host_loss.insert(host, part);
    }

    /// The network is well again.
    pub(crate) fn heal(&mut self) {
        let mut world = self.shared.lock();
        world.say(|| "the network is well".to_owned());
        world.links.heal();
    }
}
