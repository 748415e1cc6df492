//! Connections come in: each says its id, and goes to a session.

use std::io::{self, ErrorKind};
use std::net::IpAddr;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use tokio::io::AsyncReadExt as _;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::{interval, sleep, timeout};

use super::sessions::Session;
use super::spare::{PATIENCE, is_spare};
use super::{Expected, Host, World};
use crate::core::{Id, Packed, Turned};
use crate::runner::pass;
use crate::runner::session::LONGEST;

/// How many may be about to say their id, and how long each may take.
const CROWD: usize = 256;
const SILENT: Duration = Duration::from_secs(3);
/// How often it is tried to find a session that takes it.
const ATTEMPTS: usize = 20;

impl<W: World> Host<W> {
    /// Takes connections until the task is ended.
    pub async fn serve_connections(self: Arc<Self>, listener: TcpListener) {
        let places = Arc::new(Semaphore::new(CROWD));
        let mut sweep = interval(PATIENCE / 4);
        loop {
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                _ = sweep.tick() => {
                    self.forget_waiting();
                    continue;
                }
            };
            let (tcp, from) = match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    // Out of descriptors, perhaps: what is open may close again.
                    tracing::warn!("cannot take a connection for remote execution: {error}");
                    sleep(Duration::from_millis(100)).await;
                    continue;
                }
            };
            let from = from.ip().to_canonical();
            if !self.world.is_member(from) {
                self.turn_away(from, Turned::Stranger);
                continue;
            }
            let Ok(place) = places.clone().try_acquire_owned() else {
                self.turn_away(from, Turned::Crowd);
                continue;
            };
            let host = self.clone();
            tokio::spawn(async move {
                host.take(tcp, from).await;
                drop(place);
            });
        }
    }

    async fn take(&self, mut tcp: TcpStream, from: IpAddr) {
        let mut id = Id::default();
        if !matches!(timeout(SILENT, tcp.read_exact(&mut id)).await, Ok(Ok(_))) {
            self.turn_away(from, Turned::Silent);
            return;
        }
        if is_spare(&id) {
            self.let_wait(tcp, id, from);
            return;
        }
        let Some(expected) = self.claim(&id) else {
            self.turn_away(from, Turned::Unknown);
            return;
        };
        self.give_or_say(tcp, expected).await;
    }

    /// Keeps a connection for the command that will come, for a while.
    fn let_wait(&self, tcp: TcpStream, id: Id, from: IpAddr) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if !waiting.expect(self.start.elapsed(), id, tcp) {
            self.turn_away(from, Turned::Crowd);
        }
    }

    /// Closes those for which none has come.
    fn forget_waiting(&self) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.forget(self.start.elapsed());
    }

    /// Gives a connection to a session. If there is none, it is closed, and whoever is at its
    /// other end sees that nothing was run.
    pub(super) async fn give_or_say(&self, tcp: TcpStream, expected: Expected) {
        let node = expected.order.from.node;
        if let Err(error) = self.give(tcp, expected).await {
            tracing::warn!("no session takes a command from node {node}: {error}");
        }
    }

    async fn give(&self, tcp: TcpStream, expected: Expected) -> io::Result<()> {
        self.world.here().ok_or(ErrorKind::NotConnected)?;
        let Expected { order, secrets } = expected;
        let (user, node) = (order.caller.uid, order.from.node);
        let packed = Packed {
            caller: order.caller,
            from: order.from,
            secrets,
            socket: self.socket_bytes(),
        };
        let mut result = Ok(());
        for _ in 0..ATTEMPTS {
            let session = self.sessions.take().await?;
            result = hand_over(&session, &packed, &tcp);
            if result.is_ok() {
                let pid = session.pid;
                self.sessions.replace(session, move || {
                    tracing::info!(
                        "user {user} of node {node} runs a command, below process {pid}"
                    );
                });
                break;
            }
            // That one was killed while it waited.
        }
        result
    }
}

/// All of it, in one packet.
fn hand_over(session: &Session, packed: &Packed, tcp: &TcpStream) -> io::Result<()> {
    let bytes = postcard::to_stdvec(packed).map_err(io::Error::other)?;
    if bytes.len() > LONGEST {
        return Err(io::Error::other("too much for a session"));
    }
    pass::send(&session.socket, &bytes, tcp).map(drop)
}
