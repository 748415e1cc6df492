//! The runner itself.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::os::fd::OwnedFd;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, RwLock};
use std::time::{Duration, Instant};

use bytes::Bytes;
use rustix::time::{ClockId, clock_gettime};
use tokio::sync::{Notify, watch};

use super::call::Calling;
use super::config::{Config, Fingerprint, PeerInfo, Security, StartError, View};
use super::connect::{self, Refusals};
use super::doze::Doze;
use super::handler::{Register, Request, Services, Work, service_number};
use super::ping;
use super::remote::{Remote, lock};
use super::tls::Tls;
use super::workers::{Workers, worker};
use crate::core::{Failure, Lane, Moment, Node, Priority, Service};

/// Internode communication of this node. Clones are the same. It goes on until
/// [`stop`](Self::stop), even if all are dropped, because handlers usually hold one.
#[derive(Clone)]
pub struct Ics {
    pub(super) shared: Arc<Shared>,
}

/// What all tasks have in common.
pub(super) struct Shared {
    pub(super) config: Config,
    pub(super) tls: Option<Tls>,
    pub(super) start: Instant,
    pub(super) services: RwLock<Services>,
    pub(super) view: RwLock<View>,
    /// Held while a view is taken in.
    installing: Mutex<()>,
    /// Every node that has ever been up.
    pub(super) remotes: RwLock<BTreeMap<Node, Arc<Remote>>>,
    /// A view came, or a connection went: whoever dials looks again.
    pub(super) redial: Notify,
    pub(super) refusals: Mutex<Refusals>,
    /// Connections that another worker accepted than serves them.
    pub(super) handed_over: AtomicU64,
    pub(super) workers: Workers,
    stopped: watch::Sender<bool>,
}

impl Ics {
    /// Listens, and talks to nobody before the first [view](Self::peers). Has to be called
    /// in a tokio runtime with I/O and time.
    ///
    /// # Errors
    /// It can't listen, or its key is of no use.
    pub fn start(config: Config) -> Result<Self, StartError> {
        let address = config.address;
        let sockets =
            connect::listeners(address).map_err(|source| StartError::Listen { address, source })?;
        Self::start_with(config, sockets)
    }

    /// The same with sockets that [listen](super::listeners) already, perhaps since an
    /// earlier daemon: then connections that came in between are served now.
    ///
    /// # Errors
    /// As for [`start`](Self::start), and if there is no room for another thread.
    pub fn start_with(config: Config, sockets: Vec<OwnedFd>) -> Result<Self, StartError> {
        let tls = match &config.security {
            Security::Tls(identity) => Some(Tls::new(identity)?),
            Security::Mac { .. } | Security::None => None,
        };
        let address = config.address;
        let stopped = watch::Sender::new(false);
        let workers = Workers::start(stopped.subscribe()).map_err(StartError::Thread)?;
        let mut services = Services::default();
        ping::register(&mut services);
        let shared = Arc::new(Shared {
            config,
            tls,
            start: Instant::now(),
            services: RwLock::new(services),
            view: RwLock::default(),
            installing: Mutex::default(),
            remotes: RwLock::default(),
            redial: Notify::new(),
            refusals: Mutex::default(),
            handed_over: AtomicU64::new(0),
            workers,
            stopped,
        });
        if let Err(source) = connect::listen(&shared, sockets) {
            shared.stopped.send_replace(true);
            return Err(StartError::Listen { address, source });
        }
        Ok(Self { shared })
    }

    /// Closes all connections and stops listening. Calls that are pending end with
    /// [`NodeDown`](crate::core::CallError::NodeDown).
    pub fn stop(&self) {
        let epoch = read(&self.shared.view).epoch;
        self.peers(View {
            epoch,
            ..View::default()
        });
        self.shared.stopped.send_replace(true);
        write(&self.shared.services).clear();
    }

    /// Takes a view in; one that is older than the last is ignored. What was said to nodes
    /// that it hasn't any more, or has in another life, has ended when this returns: calls
    /// have completed, handlers are told, and the connections are closed.
    pub fn peers(&self, view: View) {
        let shared = &self.shared;
        let _one_at_a_time = lock(&shared.installing);
        let old = read(&shared.view).clone();
        if view.epoch < old.epoch {
            return;
        }
        *write(&shared.view) = view.clone();
        let reborn = old.incarnation != view.incarnation;
        let known: Vec<_> = read(&shared.remotes).values().map(Arc::clone).collect();
        for remote in known {
            let (was, is) = (old.peers.get(&remote.node), view.peers.get(&remote.node));
            remote.tell(|engine, _| {
                if is.is_none() {
                    engine.peer.nodedown(view.epoch);
                    return;
                }
                engine.peer.view(view.epoch);
                if was != is {
                    // Another key or address: whoever is connected has to show it again.
                    for lane in Lane::ALL {
                        engine.peer.detach(lane);
                    }
                }
            });
        }
        for (node, info) in &view.peers {
            shared.meet(*node).tell(|engine, _| {
                if reborn || engine.peer.incarnation() != Some(info.incarnation) {
                    engine
                        .peer
                        .nodeup(view.epoch, info.incarnation, session_number());
                }
            });
        }
        shared.redial.notify_waiters();
    }

    /// Registers a service. Its handler is polled first by the task that reads the
    /// connection, so that it must not block; what it has to wait for, it awaits. Calls that
    /// it makes from the same task are raised one priority.
    ///
    /// # Errors
    /// The service is registered, or another has the same number.
    pub fn register<H, F>(&self, name: &'static str, handler: H) -> Result<(), Register>
    where
        H: Fn(Request) -> F + Send + Sync + 'static,
        F: Future<Output = Result<Bytes, Failure>> + Send + 'static,
    {
        write(&self.shared.services).register(name, handler)
    }

    /// A call to a service of another node. A node is no peer of itself.
    pub fn call(&self, node: Node, service: &str, op: u16, body: Bytes) -> Calling {
        let remote = self.shared.remote(node);
        Calling::new(remote, node, service_number(service), op, body)
    }

    /// Whether a call would have to wait for room, because too many wait for credit already.
    #[must_use]
    pub fn would_throttle(&self, node: Node, service: &str, priority: Priority) -> bool {
        self.shared.remote(node).is_some_and(|remote| {
            remote.look(|engine| {
                engine
                    .peer
                    .would_throttle(service_number(service), priority)
            })
        })
    }
}

impl Shared {
    /// The time on the engines' clock.
    pub(super) fn now(&self) -> Moment {
        self.start.elapsed()
    }

    /// Runs something until it is done or all is stopped.
    pub(super) fn spawn(&self, what: impl Future<Output = ()> + Send + 'static) {
        self.spawn_at(0, what);
    }

    /// The same, where a lane is served.
    pub(super) fn spawn_for(&self, lane: Lane, what: impl Future<Output = ()> + Send + 'static) {
        self.spawn_at(worker(lane), what);
    }

    /// The same on a worker.
    pub(super) fn spawn_at(&self, at: usize, what: impl Future<Output = ()> + Send + 'static) {
        let mut stopped = self.stopped.subscribe();
        let stopped = Doze::new(async move {
            // An error would mean that the sender has gone, and all with it.
            let _ = stopped.wait_for(|stopped| *stopped).await;
        });
        self.workers.at(at).spawn(async move {
            tokio::select! {
                biased;
                () = stopped => {}
                () = what => {}
            }
        });
    }

    pub(super) fn handler(
        &self,
        service: Service,
    ) -> Option<Arc<dyn Fn(Request) -> Work + Send + Sync>> {
        read(&self.services).get(service)
    }

    /// The engine for a node; a new one if there was none.
    fn meet(self: &Arc<Self>, node: Node) -> Arc<Remote> {
        if let Some(remote) = self.remote(node) {
            return remote;
        }
        let remote = Arc::new(Remote::new(node, Arc::clone(self)));
        write(&self.remotes).insert(node, Arc::clone(&remote));
        self.spawn(Arc::clone(&remote).tick());
        connect::dial(&remote);
        remote
    }

    pub(super) fn remote(&self, node: Node) -> Option<Arc<Remote>> {
        read(&self.remotes).get(&node).map(Arc::clone)
    }

    /// What the view says of a node that is up.
    pub(super) fn peer(&self, node: Node) -> Option<PeerInfo> {
        read(&self.view).peers.get(&node).copied()
    }

    /// Whether a node that is up has this address.
    pub(super) fn knows(&self, address: IpAddr) -> bool {
        let view = read(&self.view);
        view.peers.values().any(|peer| peer.address.ip() == address)
    }

    /// Whether a node that is up has this key.
    pub(super) fn knows_key(&self, key: &Fingerprint) -> bool {
        let view = read(&self.view);
        view.peers.values().any(|peer| peer.fingerprint == *key)
    }

    /// Which life of this node the view has.
    pub(super) fn incarnation(&self) -> u32 {
        read(&self.view).incarnation
    }

    /// Counts a connection that came to nothing, and says so now and then.
    pub(super) fn refuse(&self, node: Option<Node>, refusal: &connect::Refusal) {
        let quiet = lock(&self.refusals).count(node, refusal, self.start.elapsed());
        if let Some(others) = quiet {
            let who = node.map_or_else(|| "somebody".to_owned(), |node| format!("node {node}"));
            tracing::warn!("ics: no connection with {who}: {refusal} ({others} others since)");
        }
    }
}

pub(super) fn read<T>(lock: &RwLock<T>) -> std::sync::RwLockReadGuard<'_, T> {
    lock.read()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}

fn write<T>(lock: &RwLock<T>) -> std::sync::RwLockWriteGuard<'_, T> {
    lock.write()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// A number for a session that is higher than any before in this life of the node, whichever
/// daemon used it: nanoseconds since the kernel started (`CLOCK_BOOTTIME`, Linux 2.6.39).
fn session_number() -> u64 {
    let now = clock_gettime(ClockId::Boottime);
    (now.tv_sec as u64) * 1_000_000_000 + now.tv_nsec as u64
}

/// How long one goes on trying before a handshake is given up.
pub(super) const HANDSHAKE: Duration = Duration::from_secs(3);
