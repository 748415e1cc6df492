//! The daemon's part: surrogates ask it, other daemons ask it, connections come in, and each
//! goes to a session. Then the daemon is out of it.

mod ask;
mod caller;
mod connections;
mod refusals;
mod secrets;
mod sessions;
mod spare;

use std::collections::BTreeMap;
use std::future::Future;
use std::io;
use std::net::IpAddr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::net::TcpStream;

use self::refusals::Refusals;
use self::sessions::Sessions;
use self::spare::Spares;
use crate::core::{Caller, Id, Life, Nodes, Order, Pending, Place, Seat, Secrets, Turned, Whom};

/// How many connections of others may wait for a command.
const MOST_WAIT: usize = 2048;
/// How many sessions may be expected at a time, and for how long.
const MOST: usize = 4096;
const PATIENCE: Duration = Duration::from_secs(10);

/// What the daemon knows of the cluster.
pub trait World: Send + Sync + 'static {
    /// This node, as long as it is a member.
    fn here(&self) -> Option<Life>;

    /// How connections come to be protected.
    fn secrecy(&self) -> Secrecy;

    /// Whether a member has this address.
    fn is_member(&self, address: IpAddr) -> bool;

    /// Whether this user may run commands on other nodes; else why not.
    ///
    /// # Errors
    /// Why not, and what to do.
    fn may(&self, caller: &Caller) -> Result<(), String>;

    /// Which node is meant, and its address.
    fn choose(&self, whom: Whom) -> impl Future<Output = Result<(Place, IpAddr), String>> + Send;

    /// The nodes that are UP, or those that are meant.
    fn nodes(&self, whom: Option<Whom>) -> impl Future<Output = Result<Nodes, String>> + Send;

    /// Has another node expect a connection.
    fn order(&self, to: Life, order: Order) -> impl Future<Output = Result<Seat, String>> + Send;

    /// Returns when a node's life has ended: the epoch of the view without it.
    fn ended(&self, life: Life) -> impl Future<Output = u64> + Send;
}

/// Whether connections have to be protected, and what daemons may say to each other for that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Secrecy {
    /// They don't.
    Unwanted,
    /// Nobody else can read what daemons say to each other.
    Carried,
    /// Others can; but nobody can change it.
    Missing,
}

/// The daemon's part.
pub struct Host<W> {
    world: Arc<W>,
    socket: PathBuf,
    pending: Mutex<Pending<Id, Expected>>,
    /// Connections of other nodes that wait for a command, and ours there.
    waiting: Mutex<Pending<Id, TcpStream>>,
    spares: Spares,
    sessions: Sessions,
    refusals: Refusals,
    start: Instant,
}

/// What is known of a connection before it comes.
struct Expected {
    order: Order,
    secrets: Option<Secrets>,
}

impl<W: World> Host<W> {
    /// Of a daemon whose sockets are in `directory`, and whose own program is in `programs`.
    #[must_use]
    pub fn new(world: Arc<W>, directory: &Path, programs: &Path) -> Self {
        Self {
            world,
            socket: directory.join(crate::SOCKET),
            pending: Mutex::new(Pending::new(MOST, PATIENCE)),
            waiting: Mutex::new(Pending::new(MOST_WAIT, spare::PATIENCE)),
            spares: Spares::default(),
            sessions: Sessions::new(programs),
            refusals: Refusals::default(),
            start: Instant::now(),
        }
    }

    /// Expects a connection for somebody of another node, or of this one.
    ///
    /// # Errors
    /// There are too many, or no session could be started.
    pub fn expect(self: &Arc<Self>, order: Order) -> Result<Seat, String> {
        self.sessions.is_there()?;
        let other = |error: io::Error| error.to_string();
        let mut id = Id::default();
        secrets::fill(&mut id).map_err(other)?;
        let (protection, secrets) = secrets::answer(&order.protection, &id).map_err(other)?;
        let mut seat = Seat {
            id,
            has_connection: false,
            protection,
        };
        let spare = order.spare.and_then(|id| self.spare(&id));
        let expected = Expected { order, secrets };
        if let Some(tcp) = spare {
            seat.has_connection = true;
            let host = self.clone();
            tokio::spawn(async move { host.give_or_say(tcp, expected).await });
            return Ok(seat);
        }
        let mut pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
        if !pending.expect(self.start.elapsed(), id, expected) {
            return Err(format!("the node expects {MOST} commands already"));
        }
        self.sessions.prepare(pending.len());
        Ok(seat)
    }

    /// How many connections were turned away, by reason.
    #[must_use]
    pub fn refused(&self) -> BTreeMap<&'static str, u64> {
        self.refusals.all()
    }

    /// Has some sessions wait, so that the first command needn't.
    pub fn get_ready(&self) {
        self.sessions.fill_up();
    }

    fn claim(&self, id: &Id) -> Option<Expected> {
        let mut pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
        pending.claim(self.start.elapsed(), id)
    }

    fn spare(&self, id: &Id) -> Option<TcpStream> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.claim(self.start.elapsed(), id)
    }

    fn turn_away(&self, from: IpAddr, why: Turned) {
        self.refusals.count(from, why);
    }

    fn socket_bytes(&self) -> Vec<u8> {
        self.socket.as_os_str().as_bytes().to_vec()
    }
}
