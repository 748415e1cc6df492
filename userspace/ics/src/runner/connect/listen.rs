//! The end that listens.

use std::io;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use super::greet::Greeted;
use super::greeting::Greeting;
use super::protect::{self, Halves};
use super::{Refusal, run, socket};
use crate::core::peer::Mismatch;
use crate::core::{Lane, Node};
use crate::runner::config::Fingerprint;
use crate::runner::ics::{HANDSHAKE, Shared};
use crate::runner::remote::Remote;
use crate::runner::workers::{WORKERS, worker};

/// Connections that are saying hello at once; the kernel keeps more waiting.
const GREETING: usize = 256;

/// Takes connections from sockets that listen, each socket on the worker of its place, until
/// all is stopped.
pub(in crate::runner) fn listen(shared: &Arc<Shared>, sockets: Vec<OwnedFd>) -> io::Result<()> {
    for (place, socket) in sockets.into_iter().enumerate() {
        let at = place.min(WORKERS - 1);
        let runtime = shared.workers.at(at);
        let listener = {
            let _registered_there = runtime.enter();
            socket::listener(socket)?
        };
        shared.spawn_at(at, take(Arc::clone(shared), listener, at));
    }
    Ok(())
}

async fn take(shared: Arc<Shared>, listener: TcpListener, at: usize) {
    let acceptor = match &shared.tls {
        None => None,
        Some(tls) => {
            let view = Arc::clone(&shared);
            let known = Arc::new(move |key: &Fingerprint| view.knows_key(key));
            match tls.acceptor(known) {
                Ok(acceptor) => Some(acceptor),
                Err(error) => {
                    shared.refuse(None, &error.into());
                    return;
                }
            }
        }
    };
    let greeting = Arc::new(Semaphore::new(GREETING));
    let hellos = Greeting::default();
    loop {
        let Ok(permit) = Arc::clone(&greeting).acquire_owned().await else {
            return;
        };
        let (stream, from) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(error) => {
                // Out of descriptors, most likely: trying again at once would not help.
                shared.refuse(None, &error.into());
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            }
        };
        if !shared.knows(from.ip()) {
            shared.refuse(None, &Refusal::Stranger(from.ip()));
            continue;
        }
        let Some(lane) = Lane::from_number((from.port() & 7) as u8) else {
            shared.refuse(None, &Refusal::Settings);
            continue;
        };
        let Some(entered) = hellos.enter(from.ip()) else {
            shared.refuse(None, &Refusal::Flood(from.ip()));
            continue;
        };
        let stream = if worker(lane) == at {
            Arrived::Here(stream)
        } else {
            // The kernel does not know which lane is whose.
            shared.handed_over.fetch_add(1, Ordering::Relaxed);
            match stream.into_std() {
                Ok(stream) => Arrived::Elsewhere(stream),
                Err(error) => {
                    shared.refuse(None, &error.into());
                    continue;
                }
            }
        };
        let task = Arc::clone(&shared);
        let acceptor = acceptor.clone();
        shared.spawn_for(lane, async move {
            let accepted = accept(&task, acceptor.as_ref(), lane, stream, from);
            let accepted = timeout(HANDSHAKE, accepted).await;
            drop((permit, entered));
            match accepted {
                Ok(Ok((remote, greeted))) => {
                    let node = remote.node;
                    let why = run::run(remote, greeted).await;
                    task.refuse(Some(node), &why);
                }
                Ok(Err((node, why))) => task.refuse(node, &why),
                Err(_) => task.refuse(None, &Refusal::Timeout),
            }
        });
    }
}

/// A connection, registered with the worker that serves it, or with none.
enum Arrived {
    Here(TcpStream),
    Elsewhere(std::net::TcpStream),
}

/// Who it said it was, if it said so, and why it is refused.
type Rejected = (Option<Node>, Refusal);

async fn accept(
    shared: &Arc<Shared>,
    acceptor: Option<&TlsAcceptor>,
    lane: Lane,
    stream: Arrived,
    from: SocketAddr,
) -> Result<(Arc<Remote>, Greeted<Halves>), Rejected> {
    let stream = match stream {
        Arrived::Here(stream) => stream,
        Arrived::Elsewhere(stream) => {
            TcpStream::from_std(stream).map_err(|error| (None, error.into()))?
        }
    };
    socket::prepare(&stream, shared.config.silence).map_err(|error| (None, error.into()))?;
    let mut said = None;
    let admit = |node, key: Option<Fingerprint>| {
        let peer = shared.peer(node).ok_or(Mismatch::NotUp)?;
        let remote = shared.remote(node).ok_or(Mismatch::NotUp)?;
        // Only the lower number dials, and only from its own address.
        if node >= shared.config.node || peer.address.ip() != from.ip() {
            return Err(Refusal::Impostor(node));
        }
        if key.is_some_and(|key| key != peer.fingerprint) {
            return Err(Refusal::Key(node));
        }
        said = Some(node);
        Ok(remote)
    };
    let accepted = protect::accept(shared, acceptor, lane, stream, admit).await;
    accepted.map_err(|refusal| (said, refusal))
}
