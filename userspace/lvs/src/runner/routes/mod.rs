//! The ways to the real servers: routes and neighbours of the kernel, followed as they
//! change, so that forwarding needs no lookup per packet.

mod known;
mod netlink;

use std::collections::{HashMap, HashSet};
use std::net::IpAddr;
use std::time::Duration;

use futures::StreamExt as _;
use netlink_packet_route::RouteNetlinkMessage;
use rtnetlink::packet_core::{NetlinkMessage, NetlinkPayload};
use rtnetlink::{Error, Handle};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep};
use tracing::{debug, warn};

use known::{Hop, Known};
pub use known::{Mac, Way};
use netlink::Change;

/// How often next hops are looked through for one that wants asking.
const TICK: Duration = Duration::from_secs(1);
/// How long until a next hop that doesn't answer is asked again, at first and at most.
const PATIENCE: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(8));
/// How often everything is read anew, in case a notification was lost.
const READ_ALL: Duration = Duration::from_secs(30);
/// How long to collect notifications about routes before resolving all of them anew.
const SETTLE: Duration = Duration::from_millis(50);

/// Follows the ways to the `wanted` addresses and reports each change, until `ways` is
/// closed. Reports the way to every newly wanted address, also when there is none.
pub async fn follow(
    mut wanted: watch::Receiver<HashSet<IpAddr>>,
    ways: mpsc::UnboundedSender<Vec<(IpAddr, Way)>>,
) {
    let mut reported = HashMap::new();
    while !ways.is_closed() {
        // It ends when the kernel could not keep up telling us (ENOBUFS); start anew.
        if let Err(error) = session(&mut wanted, &ways, &mut reported).await {
            warn!("following routes and neighbours: {error}; starting again");
        }
        if wanted.has_changed().is_err() {
            return;
        }
        sleep(TICK).await;
    }
}

async fn session(
    wanted: &mut watch::Receiver<HashSet<IpAddr>>,
    ways: &mpsc::UnboundedSender<Vec<(IpAddr, Way)>>,
    reported: &mut HashMap<IpAddr, Way>,
) -> Result<(), Error> {
    // Two connections, so that a flood of notifications delays no answer.
    let (listening, _, mut messages) =
        rtnetlink::new_multicast_connection(&netlink::GROUPS).map_err(failed)?;
    let (asking, handle, _) = rtnetlink::new_connection().map_err(failed)?;
    let _tasks = (Task::new(listening), Task::new(asking));

    let mut follower = Follower {
        handle,
        known: Known::default(),
        asked: HashMap::new(),
    };
    netlink::read_all(&follower.handle, &mut follower.known).await?;
    let mut tick = interval(TICK);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut read_all = Instant::now() + READ_ALL;
    let mut settle: Option<Instant> = None;
    wanted.mark_changed();
    loop {
        let mut affected = HashSet::new();
        tokio::select! {
            changed = wanted.changed() => {
                if changed.is_err() {
                    return Ok(());
                }
                let now = wanted.borrow_and_update().clone();
                follower.known.routes.retain(|addr, _| now.contains(addr));
                reported.retain(|addr, _| now.contains(addr));
                affected = now.into_iter().filter(|addr| !follower.known.routes.contains_key(addr)).collect();
                follower.resolve(&affected).await?;
                follower.ask(&affected).await?;
            }
            message = messages.next() => {
                let Some((message, _)) = message else {
                    return Ok(());
                };
                match follower.notice(message) {
                    Change::Nothing => {}
                    Change::Hop(hop) => affected = follower.through(hop),
                    Change::Routes => {
                        settle.get_or_insert_with(|| Instant::now() + SETTLE);
                    }
                }
            }
            () = until(settle) => {
                settle = None;
                affected = follower.all();
                follower.resolve(&affected).await?;
                follower.ask(&affected).await?;
            }
            _ = tick.tick() => {
                if Instant::now() >= read_all {
                    read_all = Instant::now() + READ_ALL;
                    netlink::read_all(&follower.handle, &mut follower.known).await?;
                    affected = follower.all();
                    follower.resolve(&affected).await?;
                }
                let all = follower.all();
                follower.ask(&all).await?;
            }
        }
        let changes = follower.changes(affected, reported);
        if !changes.is_empty() && ways.send(changes).is_err() {
            return Ok(());
        }
    }
}

fn failed(error: std::io::Error) -> Error {
    debug!("opening a netlink socket: {error}");
    Error::RequestFailed
}

async fn until(moment: Option<Instant>) {
    match moment {
        Some(moment) => tokio::time::sleep_until(moment).await,
        None => std::future::pending().await,
    }
}

/// A task that ends with its owner.
struct Task(tokio::task::JoinHandle<()>);

impl Task {
    fn new(future: impl Future<Output = ()> + Send + 'static) -> Self {
        Self(tokio::spawn(future))
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        self.0.abort();
    }
}

struct Follower {
    handle: Handle,
    known: Known,
    /// Next hops asked for: when to ask again, and how long to wait after that.
    asked: HashMap<Hop, (Instant, Duration)>,
}

impl Follower {
    fn all(&self) -> HashSet<IpAddr> {
        self.known.routes.keys().copied().collect()
    }

    fn through(&self, hop: Hop) -> HashSet<IpAddr> {
        let routes = self.known.routes.keys();
        routes
            .filter(|addr| self.known.hop(addr) == Some(hop))
            .copied()
            .collect()
    }

    fn notice(&mut self, message: NetlinkMessage<RouteNetlinkMessage>) -> Change {
        match message.payload {
            NetlinkPayload::InnerMessage(message) => netlink::notice(&mut self.known, message),
            NetlinkPayload::Overrun(_) => Change::Routes,
            _ => Change::Nothing,
        }
    }

    async fn resolve(&mut self, addrs: &HashSet<IpAddr>) -> Result<(), Error> {
        for addr in addrs {
            let route = netlink::route(&self.handle, *addr).await?;
            self.known.routes.insert(*addr, route);
        }
        Ok(())
    }

    /// Asks for the MACs that are missing or in doubt, with growing patience.
    async fn ask(&mut self, addrs: &HashSet<IpAddr>) -> Result<(), Error> {
        let now = Instant::now();
        let hops: HashSet<Hop> = addrs
            .iter()
            .filter_map(|addr| self.known.hop(addr))
            .collect();
        for hop in hops {
            if !self.known.wants_asking(&hop) {
                self.asked.remove(&hop);
                continue;
            }
            let patience = match self.asked.get(&hop) {
                Some((again, _)) if *again > now => continue,
                Some((_, patience)) => (*patience * 2).min(PATIENCE.1),
                None => PATIENCE.0,
            };
            self.asked.insert(hop, (now + patience, patience));
            match netlink::ask(&self.handle, hop).await {
                Ok(()) => {}
                Err(Error::NetlinkError(error)) => debug!("asking for {}: {error}", hop.1),
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// The ways among `affected` that are not as they were last reported.
    fn changes(
        &self,
        affected: HashSet<IpAddr>,
        reported: &mut HashMap<IpAddr, Way>,
    ) -> Vec<(IpAddr, Way)> {
        let mut changes = Vec::new();
        for addr in affected {
            let way = self.known.way(&addr);
            if reported.insert(addr, way) != Some(way) {
                changes.push((addr, way));
            }
        }
        changes
    }
}
