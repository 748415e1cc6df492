//! Connections: they come and go, the session stays.

use bytes::Bytes;

use super::{Action, Conn, Peer, Reason};
#[cfg(doc)]
use crate::core::CallError;
use crate::core::frame::{HEADER, Header, Hello, Kind};
use crate::core::{Lane, Moment};

/// Why two ends don't belong together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Mismatch {
    /// The node is not in the view.
    #[error("the node is not in the view")]
    NotUp,
    /// It is an earlier or later life than the view's.
    #[error("another life of the node than the view's")]
    Incarnation,
    /// Its session is one of before: its daemon was restarted since, or one end has begun
    /// anew while hellos were said.
    #[error("it speaks for a session that is over")]
    Session,
    /// It says that it has received what was never sent, or not received what it had.
    #[error("it has received more, or less, than is possible")]
    Received,
}

impl Peer {
    /// This end's number for the session: what its hellos have to say. None when the node is
    /// down.
    #[must_use]
    pub fn number(&self) -> Option<u64> {
        self.session.as_ref().map(|session| session.number)
    }

    /// How many frames this end has received on a lane of the session that the other end
    /// has this number for: what its second hello has to say.
    #[must_use]
    pub fn received_on(&self, lane: Lane, theirs: u64) -> u64 {
        let session = self.session.as_ref();
        session
            .filter(|session| session.theirs == Some(theirs))
            .map_or(0, |session| session.lanes[lane.index()].received.frames)
    }

    /// Whether the other end has another session since the one that it had this number for.
    #[must_use]
    pub fn is_over(&self, theirs: u64) -> bool {
        let session = self.session.as_ref();
        session.is_none_or(|session| session.theirs.is_some_and(|known| theirs < known))
    }

    /// A connection of a lane has gone. What it carried is sent again over the next one.
    pub fn disconnected(&mut self, conn: Conn) {
        if let Some(session) = &mut self.session {
            let state = &mut session.lanes[conn.lane.index()];
            if state.conn == Some(conn.number) {
                state.conn = None;
            }
        }
    }

    /// Gives a lane's connection up, because another is about to take its place. Has to come
    /// before [`received_on`](Self::received_on) is asked for, so that it stays true.
    pub fn detach(&mut self, lane: Lane) {
        let state = self
            .session
            .as_mut()
            .map(|session| &mut session.lanes[lane.index()]);
        if let Some(number) = state.and_then(|state| state.conn.take()) {
            let conn = Conn { lane, number };
            self.actions
                .push_back(Action::Close(conn, Reason::Replaced));
        }
    }

    /// A connection has been made, and the other end has said both its hellos. It takes the
    /// place of an earlier one of the lane.
    ///
    /// A higher number for the session than before, in the same life, means that the daemon
    /// at the other end was restarted: what was said to the former ends with
    /// [`CallError::Restarted`], and another session begins.
    ///
    /// # Errors
    /// The other end is not the one of the session.
    pub fn connected(&mut self, now: Moment, hello: &Hello) -> Result<Conn, Mismatch> {
        let lane = hello.lane;
        let session = self.session.as_mut().ok_or(Mismatch::NotUp)?;
        if hello.incarnation != session.incarnation {
            return Err(Mismatch::Incarnation);
        }
        let restarted = match session.theirs {
            Some(theirs) if hello.session < theirs => return Err(Mismatch::Session),
            Some(theirs) => hello.session > theirs,
            None if hello.session == 0 => return Err(Mismatch::Session),
            None => false,
        };
        if restarted {
            if hello.received != 0 {
                return Err(Mismatch::Received);
            }
            self.restarted();
        } else if !session.lanes[lane.index()].out.resume(hello.received) {
            return Err(Mismatch::Received);
        }
        if let Some(session) = &mut self.session
            && session.theirs.is_none()
        {
            session.theirs = Some(hello.session);
            session.credits.set_window(hello.window);
            session.chunks = hello.chunks;
        }
        self.detach(lane);
        let number = self.next_conn;
        self.next_conn += 1;
        self.stats.lanes[lane.index()].connections += 1;
        if let Some(session) = &mut self.session {
            let state = &mut session.lanes[lane.index()];
            state.conn = Some(number);
            state.told = false;
            // The hellos have told each end what the other has.
            state.received.acknowledge();
            session.tell(lane, &mut self.actions);
        }
        for lane in Lane::ALL {
            self.release(now, lane);
        }
        Ok(Conn { lane, number })
    }

    /// The header and body of the next frame to write to a connection; nothing if it is of no
    /// use any more. A frame that could not be written wholly is no reason to give it back: it
    /// goes again once there is another connection.
    pub fn take(&mut self, now: Moment, conn: Conn) -> Option<(Header, &Bytes)> {
        static NOTHING: Bytes = Bytes::new();
        let session = self.session.as_mut().filter(|session| session.has(conn))?;
        let state = &mut session.lanes[conn.lane.index()];
        let must_acknowledge = state.received.must_acknowledge(now);
        let (mut header, body) = match state.out.take(now) {
            Some(frame) => frame,
            None if must_acknowledge => (Header::new(Kind::Ack, conn.lane), &NOTHING),
            None => {
                state.told = false;
                return None;
            }
        };
        header.ack = state.received.acknowledge() as u32;
        header.epoch = self.epoch;
        let count = &mut self.stats.lanes[conn.lane.index()];
        count.sent_frames += 1;
        count.sent_bytes += (HEADER + body.len()) as u64;
        Some((header, body))
    }

    /// Whether the engine still uses a connection.
    #[must_use]
    pub fn is_connected(&self, conn: Conn) -> bool {
        let session = self.session.as_ref();
        session.is_some_and(|session| session.has(conn))
    }
}
