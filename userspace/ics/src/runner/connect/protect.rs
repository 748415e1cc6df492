//! What is between a socket and the frames: TLS, or nothing.

use std::sync::Arc;
use std::time::Duration;

use rustls::{ClientConnection, ServerConnection};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use super::calm::Calm;
use super::greet::{self, Greeted};
use super::read::Reading;
use super::{Refusal, socket};
use crate::core::frame::Decoder;
use crate::core::{Lane, Node};
use crate::runner::config::{Fingerprint, PeerInfo};
use crate::runner::ics::Shared;
use crate::runner::remote::Remote;
use crate::runner::seal::{Sealed, Whole};
use crate::runner::tls::{Tls, fingerprint};
use crate::runner::write::Writing;

/// Both ends of a connection, whatever protects it.
pub(super) type Halves = (Reading, Writing);

fn plain(stream: TcpStream, _: &mut Decoder) -> Halves {
    let (reading, writing) = stream.into_split();
    (Reading::new(reading, None), Writing::new(writing, None))
}

fn sealed(stream: Sealed<Calm<TcpStream>>, decoder: &mut Decoder) -> Halves {
    let parts = stream.into_parts();
    let (buffer, sealed) = decoder.sealed();
    buffer.extend_from_slice(&parts.opened);
    buffer.extend_from_slice(&parts.sealed);
    *sealed = parts.sealed.len();
    let (reading, writing) = parts.stream.into_inner().into_split();
    (
        Reading::new(reading, Some(parts.opener)),
        Writing::new(writing, Some(parts.sealer)),
    )
}

/// Dials a node and says hello; `patience`: how long it may take to answer at all.
pub(super) async fn dial(
    remote: &Arc<Remote>,
    lane: Lane,
    peer: &PeerInfo,
    patience: Duration,
) -> Result<Greeted<Halves>, Refusal> {
    let shared = &remote.shared;
    let connected = socket::connect(shared.config.address, peer.address, lane);
    let stream = timeout(patience, connected)
        .await
        .map_err(|_| Refusal::NoAnswer)??;
    socket::prepare(&stream, shared.config.silence)?;
    let Some(tls) = &shared.tls else {
        let greeted = greet::dialled(remote, lane, stream).await?;
        return Ok(greeted.with(None, plain));
    };
    let connector = tls.connector(peer.fingerprint)?;
    let stream = Whole::new(Calm::new(stream));
    let shaken = connector.connect(Tls::name(), stream).await?;
    let (stream, session) = shaken.into_inner();
    let stream = Sealed::new(stream, session, ClientConnection::dangerous_extract_secrets)?;
    let greeted = greet::dialled(remote, lane, stream).await?;
    Ok(greeted.with(Some(peer.fingerprint), sealed))
}

/// Hears the hello of somebody who has dialled.
pub(super) async fn accept(
    shared: &Arc<Shared>,
    acceptor: Option<&TlsAcceptor>,
    lane: Lane,
    stream: TcpStream,
    admit: impl FnOnce(Node, Option<Fingerprint>) -> Result<Arc<Remote>, Refusal>,
) -> Result<(Arc<Remote>, Greeted<Halves>), Refusal> {
    let Some(acceptor) = acceptor else {
        let admit = |node| admit(node, None);
        let (remote, greeted) = greet::accepted(shared, lane, stream, admit).await?;
        return Ok((remote, greeted.with(None, plain)));
    };
    let shaken = acceptor.accept(Whole::new(Calm::new(stream))).await?;
    let (stream, session) = shaken.into_inner();
    let chain = session.peer_certificates();
    let key = chain
        .and_then(|chain| chain.first())
        .map(|c| fingerprint(c));
    let stream = Sealed::new(stream, session, ServerConnection::dangerous_extract_secrets)?;
    let admit = |node| admit(node, key);
    let (remote, greeted) = greet::accepted(shared, lane, stream, admit).await?;
    Ok((remote, greeted.with(key, sealed)))
}
