//! The end that listens.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use super::greet::Greeted;
use super::protect::{self, Halves};
use super::{Refusal, run, socket};
use crate::core::peer::Mismatch;
use crate::core::{Lane, Node};
use crate::runner::config::Fingerprint;
use crate::runner::ics::{HANDSHAKE, Shared};
use crate::runner::remote::Remote;

/// Connections that are saying hello at once; the kernel keeps more waiting.
const GREETING: usize = 256;

/// Takes connections, until all is stopped.
pub(in crate::runner) async fn listen(shared: Arc<Shared>, listener: TcpListener) {
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
        let task = Arc::clone(&shared);
        let acceptor = acceptor.clone();
        shared.spawn(async move {
            let accepted = timeout(HANDSHAKE, accept(&task, acceptor.as_ref(), stream, from)).await;
            drop(permit);
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

/// Who it said it was, if it said so, and why it is refused.
type Rejected = (Option<Node>, Refusal);

async fn accept(
    shared: &Arc<Shared>,
    acceptor: Option<&TlsAcceptor>,
    stream: TcpStream,
    from: SocketAddr,
) -> Result<(Arc<Remote>, Greeted<Halves>), Rejected> {
    let lane = Lane::from_number((from.port() & 7) as u8);
    let lane = lane.ok_or((None, Refusal::Settings))?;
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
