//! Hellos: each end says who it is and by which number it has the session, then, when it
//! knows the other's, what of that session it has. With tags, the second hello is the first
//! frame that has one, so that nobody takes the place of a connection who hasn't the key.

use std::io;
use std::sync::Arc;

use rand::RngExt as _;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::Refusal;
use crate::core::frame::{Decoder, Frame, Hello, Mac, Security as Protection, flag};
use crate::core::peer::{Conn, Mismatch};
use crate::core::{Lane, Node};
use crate::runner::bypass::{self, Below};
use crate::runner::config::{Fingerprint, Security};
use crate::runner::ics::Shared;
use crate::runner::remote::{Engine, Remote};

/// A connection on which both ends have said hello.
pub(super) struct Greeted<S> {
    pub(super) stream: S,
    pub(super) decoder: Decoder,
    pub(super) conn: Conn,
    /// Of the frames that this end sends.
    pub(super) mac: Option<Mac>,
    /// The key that the other end has shown, if it had to.
    pub(super) key: Option<Fingerprint>,
}

impl<S> Greeted<S> {
    /// The same with another kind of stream. What the one had read ahead goes to the decoder.
    pub(super) fn with<T>(
        mut self,
        key: Option<Fingerprint>,
        stream: impl FnOnce(S, &mut Decoder) -> T,
    ) -> Greeted<T> {
        Greeted {
            key,
            stream: stream(self.stream, &mut self.decoder),
            decoder: self.decoder,
            conn: self.conn,
            mac: self.mac,
        }
    }
}

/// The dialling end.
pub(super) async fn dialled<S>(
    remote: &Arc<Remote>,
    lane: Lane,
    mut stream: S,
) -> Result<Greeted<S>, Refusal>
where
    S: AsyncRead + AsyncWrite + Below + Unpin,
{
    let shared = &remote.shared;
    let mut decoder = Decoder::greeting(lane);
    let mine = hello(remote, lane)?;
    send(&mut stream, &mine, Which::First, None).await?;
    let first = receive(&mut stream, &mut decoder).await?;
    check(shared, &first, lane)?;
    if first.node != remote.node {
        return Err(Refusal::Impostor(first.node));
    }
    let mut mac = tag(shared, &mut decoder, &mine, &first);
    let mine = remote.tell(|engine, _| {
        engine.peer.detach(lane);
        with_facts(mine, engine, first.session)
    })?;
    // All that the other end has sent so far is read, and it waits for this.
    bypass::join(shared, &stream);
    send(&mut stream, &mine, Which::Second, mac.as_mut()).await?;
    let theirs = receive(&mut stream, &mut decoder).await?;
    check(shared, &theirs, lane)?;
    if theirs.session != first.session {
        return Err(Mismatch::Session.into());
    }
    let conn = remote.tell(|engine, now| {
        // The node may have had another life meanwhile, of which the other end knows nothing.
        if engine.peer.number() == Some(mine.session) {
            engine.peer.connected(now, &theirs)
        } else {
            Err(Mismatch::Session)
        }
    })?;
    decoder.greeted();
    Ok(Greeted {
        stream,
        decoder,
        conn,
        mac,
        key: None,
    })
}

/// The listening end, which learns from the hello who dials; `admit` says whether it may
/// be who it says.
pub(super) async fn accepted<S>(
    shared: &Shared,
    lane: Lane,
    mut stream: S,
    admit: impl FnOnce(Node) -> Result<Arc<Remote>, Refusal>,
) -> Result<(Arc<Remote>, Greeted<S>), Refusal>
where
    S: AsyncRead + AsyncWrite + Below + Unpin,
{
    let mut decoder = Decoder::greeting(lane);
    let theirs = receive(&mut stream, &mut decoder).await?;
    check(shared, &theirs, lane)?;
    let remote = admit(theirs.node)?;
    let mine = hello(&remote, lane)?;
    send(&mut stream, &mine, Which::First, None).await?;
    let mut mac = tag(shared, &mut decoder, &mine, &theirs);
    let theirs = receive(&mut stream, &mut decoder).await?;
    check(shared, &theirs, lane)?;
    if theirs.node != remote.node {
        return Err(Refusal::Impostor(theirs.node));
    }
    let (mine, conn) = remote.tell(|engine, now| {
        if engine.peer.is_over(theirs.session) {
            return Err(Mismatch::Session.into());
        }
        engine.peer.detach(lane);
        let mine = with_facts(mine, engine, theirs.session)?;
        let conn = engine.peer.connected(now, &theirs)?;
        Ok::<_, Refusal>((mine, conn))
    })?;
    bypass::join(shared, &stream);
    if let Err(error) = send(&mut stream, &mine, Which::Second, mac.as_mut()).await {
        remote.tell(|engine, now| engine.unlink(conn, now));
        return Err(error.into());
    }
    decoder.greeted();
    let greeted = Greeted {
        stream,
        decoder,
        conn,
        mac,
        key: None,
    };
    Ok((remote, greeted))
}

/// The first hello, which doesn't say yet what has been received.
fn hello(remote: &Remote, lane: Lane) -> Result<Hello, Refusal> {
    let shared = &remote.shared;
    let config = &shared.config;
    let peer = shared.peer(remote.node).ok_or(Mismatch::NotUp)?;
    let session = remote.look(|engine| engine.peer.number());
    Ok(Hello {
        node: config.node,
        incarnation: shared.incarnation(),
        to: remote.node,
        to_incarnation: peer.incarnation,
        lane,
        security: protection(&config.security),
        cluster: config.cluster,
        session: session.ok_or(Mismatch::NotUp)?,
        received: 0,
        window: config.limits.window,
        chunks: config.limits.chunks,
        nonce: rand::rng().random(),
    })
}

/// The second hello, to an end that has this number for the session.
fn with_facts(hello: Hello, engine: &Engine, theirs: u64) -> Result<Hello, Refusal> {
    if engine.peer.number() != Some(hello.session) {
        return Err(Mismatch::Session.into());
    }
    let received = engine.peer.received_on(hello.lane, theirs);
    Ok(Hello { received, ..hello })
}

fn protection(security: &Security) -> Protection {
    match security {
        Security::Tls(_) => Protection::Tls,
        Security::None => Protection::None,
        Security::Mac { .. } => Protection::Mac,
    }
}

/// Whether a hello is meant for this node, in this life, from a node that is up.
fn check(shared: &Shared, hello: &Hello, lane: Lane) -> Result<(), Refusal> {
    let config = &shared.config;
    if hello.cluster != config.cluster {
        return Err(Refusal::Cluster);
    }
    if hello.to != config.node || hello.to_incarnation != shared.incarnation() {
        return Err(Refusal::Misdirected(hello.to, hello.to_incarnation));
    }
    if hello.lane != lane || hello.security != protection(&config.security) {
        return Err(Refusal::Settings);
    }
    let peer = shared.peer(hello.node);
    let peer = peer.ok_or(Mismatch::NotUp)?;
    if peer.incarnation != hello.incarnation {
        return Err(Mismatch::Incarnation.into());
    }
    Ok(())
}

/// From now on, frames have tags, if that is how connections are protected.
fn tag(shared: &Shared, decoder: &mut Decoder, mine: &Hello, theirs: &Hello) -> Option<Mac> {
    let Security::Mac { key } = &shared.config.security else {
        return None;
    };
    let (mine, theirs) = (mine.frame().body, theirs.frame().body);
    decoder.require(Mac::new(key, &theirs, &mine));
    Some(Mac::new(key, &mine, &theirs))
}

/// Which of the two hellos of an end.
enum Which {
    First,
    Second,
}

async fn send<S: AsyncWrite + Unpin>(
    stream: &mut S,
    hello: &Hello,
    which: Which,
    mac: Option<&mut Mac>,
) -> io::Result<()> {
    let mut frame = hello.frame();
    if matches!(which, Which::Second) {
        frame.header.flags |= flag::CONFIRM;
    }
    let header = frame.header.encode(frame.body.len());
    let mut bytes = header.to_vec();
    bytes.extend_from_slice(&frame.body);
    if let Some(mac) = mac {
        mac.begin(&header);
        bytes.extend_from_slice(&mac.end(&frame.body));
    }
    stream.write_all(&bytes).await?;
    stream.flush().await
}

async fn receive<S: AsyncRead + Unpin>(
    stream: &mut S,
    decoder: &mut Decoder,
) -> Result<Hello, Refusal> {
    loop {
        if let Some(frame) = decoder.next_frame()? {
            return read_hello(&frame);
        }
        if stream.read_buf(decoder.buffer()).await? == 0 {
            return Err(Refusal::Closed);
        }
    }
}

fn read_hello(frame: &Frame) -> Result<Hello, Refusal> {
    Hello::from_frame(frame).ok_or(Refusal::NoHello)
}
