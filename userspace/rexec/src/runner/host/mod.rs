//! The daemon's part: surrogates ask it, other daemons ask it, connections come in, and each
//! goes to a session. Then the daemon is out of it.

mod ask;
mod caller;
mod connections;
mod refusals;
mod sessions;

use std::collections::BTreeMap;
use std::future::Future;
use std::io;
use std::net::IpAddr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use ring::rand::{SecureRandom as _, SystemRandom};

use self::refusals::Refusals;
use self::sessions::Sessions;
use super::keys::Key;
use crate::core::{Caller, Id, Life, Order, Pending, Place, Seat, Turned, Whom};

/// How many sessions may be expected at a time, and for how long.
const MOST: usize = 4096;
const PATIENCE: Duration = Duration::from_secs(10);

/// What the daemon knows of the cluster.
pub trait World: Send + Sync + 'static {
    /// This node, as long as it is a member.
    fn here(&self) -> Option<Life>;

    /// Whether connections are protected.
    fn is_protected(&self) -> bool;

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
    fn places(&self, whom: Option<Whom>)
    -> impl Future<Output = Result<Vec<Place>, String>> + Send;

    /// Has another node expect a connection.
    fn order(&self, to: Life, order: Order) -> impl Future<Output = Result<Seat, String>> + Send;

    /// Returns when a node's life has ended: the epoch of the view without it.
    fn ended(&self, life: Life) -> impl Future<Output = u64> + Send;
}

/// The daemon's part.
pub struct Host<W> {
    world: Arc<W>,
    socket: PathBuf,
    pending: Mutex<Pending<Id, Expected>>,
    sessions: Sessions,
    refusals: Refusals,
    start: Instant,
}

/// What is known of a connection before it comes.
struct Expected {
    order: Order,
    own: Option<Vec<u8>>,
}

impl<W: World> Host<W> {
    /// Of a daemon whose sockets are in `directory`, and whose own program is in `programs`.
    #[must_use]
    pub fn new(world: Arc<W>, directory: &Path, programs: &Path) -> Self {
        Self {
            world,
            socket: directory.join(crate::SOCKET),
            pending: Mutex::new(Pending::new(MOST, PATIENCE)),
            sessions: Sessions::new(programs),
            refusals: Refusals::default(),
            start: Instant::now(),
        }
    }

    /// Expects a connection for somebody of another node, or of this one.
    ///
    /// # Errors
    /// There are too many, or no session could be started.
    pub fn expect(&self, order: Order) -> Result<Seat, String> {
        self.sessions.is_there()?;
        let other = |error: io::Error| error.to_string();
        let own = order.key.as_ref().map(|_| Key::generate());
        let own = own.transpose().map_err(other)?;
        let mut id = Id::default();
        let drawn = SystemRandom::new().fill(&mut id);
        drawn.map_err(|_| "the node has no randomness".to_owned())?;
        let seat = Seat {
            id,
            key: own.as_ref().map(|key| key.public().to_vec()),
        };
        let own = own.map(|key| key.private().to_vec());
        let expected = Expected { order, own };
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
        self.sessions.replenish();
    }

    fn claim(&self, id: &Id) -> Option<Expected> {
        let mut pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
        pending.claim(self.start.elapsed(), id)
    }

    fn turn_away(&self, from: IpAddr, why: Turned) {
        self.refusals.count(from, why);
    }

    fn socket_bytes(&self) -> Vec<u8> {
        self.socket.as_os_str().as_bytes().to_vec()
    }
}
