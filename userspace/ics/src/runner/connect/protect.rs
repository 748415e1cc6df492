//! What is between a socket and the frames: TLS, or nothing.

use std::pin::Pin;
use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;

use super::calm::Calm;
use super::greet::{self, Greeted};
use super::{Refusal, socket};
use crate::core::peer::Mismatch;
use crate::core::{Lane, Node};
use crate::runner::config::Fingerprint;
use crate::runner::ics::Shared;
use crate::runner::remote::Remote;
use crate::runner::tls::{Tls, fingerprint};

/// The reading end of a connection.
pub(super) type Reading = Pin<Box<dyn AsyncRead + Send>>;
/// The writing end of a connection.
pub(super) type Writing = Pin<Box<dyn AsyncWrite + Send>>;
/// Both, whatever protects them.
pub(super) type Halves = (Reading, Writing);

fn plain(stream: TcpStream) -> Halves {
    let (reading, writing) = stream.into_split();
    (Box::pin(Calm::new(reading)), Box::pin(writing))
}

fn sealed<S: AsyncRead + AsyncWrite + Send + 'static>(stream: S) -> Halves {
    let (reading, writing) = tokio::io::split(stream);
    (Box::pin(reading), Box::pin(writing))
}

/// Dials a node and says hello.
pub(super) async fn dial(remote: &Arc<Remote>, lane: Lane) -> Result<Greeted<Halves>, Refusal> {
    let shared = &remote.shared;
    let peer = shared.peer(remote.node).ok_or(Mismatch::NotUp)?;
    let stream = socket::connect(shared.config.address, peer.address, lane).await?;
    socket::prepare(&stream, shared.config.silence)?;
    let Some(tls) = &shared.tls else {
        let greeted = greet::dialled(remote, lane, stream).await?;
        return Ok(greeted.with(None, plain));
    };
    let connector = tls.connector(peer.fingerprint)?;
    let stream = connector.connect(Tls::name(), Calm::new(stream)).await?;
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
    let stream = acceptor.accept(Calm::new(stream)).await?;
    let chain = stream.get_ref().1.peer_certificates();
    let key = chain
        .and_then(|chain| chain.first())
        .map(|c| fingerprint(c));
    let admit = |node| admit(node, key);
    let (remote, greeted) = greet::accepted(shared, lane, stream, admit).await?;
    Ok((remote, greeted.with(key, sealed)))
}
