//! A connection at work, until it goes.

use std::sync::Arc;

use smallvec::SmallVec;
use tokio::sync::Notify;

use super::Refusal;
use super::greet::Greeted;
use super::protect::Halves;
use super::read::Reading;
use crate::core::frame::Decoder;
use crate::core::peer::Conn;
use crate::runner::doze::Doze;
use crate::runner::remote::{Link, Remote};
use crate::runner::write::Writer;

/// Bytes that are read before anybody else in the same thread gets on.
const TURN: usize = 256 << 10;

/// Reads and writes until one end closes the connection.
pub(super) async fn run(remote: Arc<Remote>, greeted: Greeted<Halves>) -> Refusal {
    let conn = greeted.conn;
    let (reading, writing) = greeted.stream;
    let writer = Arc::new(Writer::new(conn, writing, greeted.mac));
    let close = Arc::new(Notify::new());
    let link = Link {
        writer: Arc::clone(&writer),
        close: Arc::clone(&close),
    };
    if !remote.tell(|engine, now| engine.join(conn, link, now)) {
        return Refusal::Closed;
    }
    let guard = Linked(Arc::clone(&remote), conn);
    // The view may have another key for the node since it has shown this one. A view that
    // comes from now on finds the link, and closes it.
    let peer = remote.shared.peer(remote.node);
    if greeted
        .key
        .is_some_and(|key| peer.is_none_or(|peer| peer.fingerprint != key))
    {
        return Refusal::Key(remote.node);
    }
    let others = Doze::new(async {
        tokio::select! {
            why = writer.run(&remote) => why.into(),
            () = close.notified() => Refusal::Closed,
        }
    });
    let why = tokio::select! {
        biased;
        why = others => why,
        why = read(&remote, conn, reading, greeted.decoder) => why,
    };
    drop(guard);
    why
}

/// The engine hears that a connection is over, even if its task is stopped.
struct Linked(Arc<Remote>, Conn);

impl Drop for Linked {
    fn drop(&mut self) {
        self.0.tell(|engine, now| engine.unlink(self.1, now));
    }
}

async fn read(
    remote: &Arc<Remote>,
    conn: Conn,
    mut reading: Reading,
    mut decoder: Decoder,
) -> Refusal {
    let mut turn = 0;
    // What came along with the hellos.
    if let Err(refused) = reading.open(&mut decoder) {
        return refused;
    }
    loop {
        let mut frames: SmallVec<[_; 2]> = SmallVec::new();
        let decoded = loop {
            match decoder.next_frame() {
                Ok(Some(frame)) => frames.push(frame),
                Ok(None) => break Ok(()),
                Err(refused) => break Err(refused),
            }
        };
        if !frames.is_empty() {
            remote.tell(|engine, now| {
                for frame in frames {
                    engine.peer.received(now, conn, frame);
                }
            });
        }
        if let Err(refused) = decoded {
            return refused.into();
        }
        match reading.read(conn.lane, &mut decoder).await {
            Ok(count) => turn += count,
            Err(refused) => return refused,
        }
        if turn >= TURN {
            turn = 0;
            tokio::task::yield_now().await;
        }
    }
}
