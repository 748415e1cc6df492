//! Connections: they come and go, the session stays.

use std::collections::VecDeque;
use std::time::Duration;

use super::{Action, Conn, LaneState, Peer, Reason, Session};
use crate::core::frame::{Frame, Header, Hello, Kind};
use crate::core::{Lane, Moment};

/// Frames after which an acknowledgement is sent even if nothing else is.
const ACK_FRAMES: u64 = 256;
/// Bytes after which it is.
const ACK_BYTES: usize = 512 << 10;
/// Time after which it is.
const ACK_DELAY: Duration = Duration::from_millis(50);

/// Why two ends don't belong together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Mismatch {
    /// The node is not in the view.
    #[error("the node is not in the view")]
    NotUp,
    /// It is an earlier or later life than the view's.
    #[error("another life of the node than the view's")]
    Incarnation,
    /// It has lost its memory of the session without a new life.
    #[error("it has forgotten the session, or begun another, within one life")]
    Session,
    /// It says that it has received what was never sent, or not received what it had.
    #[error("it has received more, or less, than is possible")]
    Received,
}

impl Peer {
    /// How many frames of the session this end has received on a lane, and its number for
    /// the session: what its hello has to say. None when the node is down.
    #[must_use]
    pub fn facts(&self, lane: Lane) -> Option<(u64, u64)> {
        let session = self.session.as_ref()?;
        Some((session.lanes[lane.index()].received, session.number))
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
    /// before [`facts`](Self::facts) are asked for, so that they stay true.
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

    /// A connection has been made, and the other end has said hello. It takes the place of
    /// an earlier one of the lane.
    ///
    /// # Errors
    /// The other end is not the one of the session.
    pub fn connected(&mut self, now: Moment, hello: &Hello) -> Result<Conn, Mismatch> {
        let lane = hello.lane;
        let session = self.session.as_mut().ok_or(Mismatch::NotUp)?;
        if hello.incarnation != session.incarnation {
            return Err(Mismatch::Incarnation);
        }
        if session.theirs.is_some_and(|theirs| theirs != hello.session) || hello.session == 0 {
            return Err(Mismatch::Session);
        }
        if !session.lanes[lane.index()].out.resume(hello.received) {
            return Err(Mismatch::Received);
        }
        if session.theirs.is_none() {
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
            state.acknowledge();
            session.tell(lane, &mut self.actions);
        }
        for lane in Lane::ALL {
            self.release(now, lane);
        }
        Ok(Conn { lane, number })
    }

    /// The next frame to write to a connection; nothing if it is of no use any more. A
    /// frame that could not be written wholly is no reason to give it back: it goes again
    /// once there is another connection.
    pub fn take(&mut self, now: Moment, conn: Conn) -> Option<Frame> {
        let epoch = self.epoch;
        let state = self.state_of(conn)?;
        let mut frame = match state.out.take(now) {
            Some(frame) => frame,
            None if state.must_acknowledge(now) => Frame {
                header: Header::new(Kind::Ack, conn.lane),
                body: bytes::Bytes::new(),
            },
            None => {
                state.told = false;
                return None;
            }
        };
        state.acknowledge();
        frame.header.ack = state.received as u32;
        frame.header.epoch = epoch;
        let count = &mut self.stats.lanes[conn.lane.index()];
        count.sent_frames += 1;
        count.sent_bytes += frame.bytes() as u64;
        Some(frame)
    }

    /// Whether the engine still uses a connection.
    #[must_use]
    pub fn is_connected(&self, conn: Conn) -> bool {
        let session = self.session.as_ref();
        session.is_some_and(|session| session.lanes[conn.lane.index()].conn == Some(conn.number))
    }

    pub(super) fn state_of(&mut self, conn: Conn) -> Option<&mut LaneState> {
        let state = &mut self.session.as_mut()?.lanes[conn.lane.index()];
        (state.conn == Some(conn.number)).then_some(state)
    }
}

impl Session {
    /// Puts a frame on its lane.
    pub(super) fn push(
        &mut self,
        frame: Frame,
        deadline: Option<Moment>,
        actions: &mut VecDeque<Action>,
    ) {
        let lane = frame.header.lane;
        self.lanes[lane.index()].out.push(frame, deadline);
        self.tell(lane, actions);
    }

    /// Says that a lane has something to write, if it has a connection.
    pub(super) fn tell(&mut self, lane: Lane, actions: &mut VecDeque<Action>) {
        let state = &mut self.lanes[lane.index()];
        if let Some(number) = state.conn
            && !state.told
        {
            state.told = true;
            actions.push_back(Action::Write(Conn { lane, number }));
        }
    }
}

impl LaneState {
    /// A frame of the session has come; true: so many that an acknowledgement has to go.
    pub(super) fn count(&mut self, now: Moment, bytes: usize) -> bool {
        self.received += 1;
        self.unacknowledged_bytes += bytes;
        self.since.get_or_insert(now);
        self.enough()
    }

    fn enough(&self) -> bool {
        self.received - self.acknowledged >= ACK_FRAMES || self.unacknowledged_bytes >= ACK_BYTES
    }

    fn must_acknowledge(&self, now: Moment) -> bool {
        self.enough() || self.ack_at().is_some_and(|at| at <= now)
    }

    fn acknowledge(&mut self) {
        self.acknowledged = self.received;
        self.unacknowledged_bytes = 0;
        self.since = None;
    }

    /// When an acknowledgement is due.
    pub(super) fn ack_at(&self) -> Option<Moment> {
        self.conn?;
        self.since.map(|since| since + ACK_DELAY)
    }
}
