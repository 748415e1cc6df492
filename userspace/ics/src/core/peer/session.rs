//! Sessions: what two daemons in one life of each of their nodes say to each other, over
//! however many connections.

use std::collections::VecDeque;

use super::received::{ACK_DELAY, Received};
use super::{Action, Conn, Peer, Reason, Token};
use crate::core::credit::Credits;
use crate::core::frame::Frame;
use crate::core::outgoing::Outgoing;
use crate::core::pending::Pending;
use crate::core::serving::Serving;
use crate::core::{CallError, Epoch, Lane, Moment};

/// What has been said, and what is being done about it.
#[derive(Debug)]
pub(super) struct Session {
    /// How many there have been with this node.
    pub(super) count: u64,
    /// Which life of the other node.
    pub(super) incarnation: u32,
    /// This end's number for it.
    pub(super) number: u64,
    /// The other end's, once it has said so.
    pub(super) theirs: Option<u64>,
    pub(super) credits: Credits,
    pub(super) pending: Pending,
    pub(super) serving: Serving,
    pub(super) lanes: [LaneState; Lane::COUNT],
    /// Chunks per stream that the other end takes.
    pub(super) chunks: u16,
    /// No lane's acknowledgement is due sooner.
    pub(super) ack_at: Option<Moment>,
}

#[derive(Debug, Default)]
pub(super) struct LaneState {
    pub(super) conn: Option<u64>,
    /// The runner knows that there is something to write.
    pub(super) told: bool,
    pub(super) out: Outgoing,
    pub(super) received: Received,
}

impl Peer {
    /// A view came that has the node up in this life. What was said to an earlier life is
    /// over, see [`nodedown`](Self::nodedown). `session` is this end's number for the new
    /// session: never 0, and higher than any that this node has used in this life, so that
    /// the other end can tell a restarted daemon from what is left of the former.
    pub fn nodeup(&mut self, epoch: Epoch, incarnation: u32, session: u64) {
        self.nodedown(epoch);
        self.begin(incarnation, session);
    }

    /// A view came that hasn't the node up. Every pending call completes, handlers are told,
    /// connections close, and nothing of that life is delivered from now on.
    pub fn nodedown(&mut self, epoch: Epoch) {
        self.epoch = epoch;
        self.down = epoch;
        let node = self.node;
        let error = CallError::NodeDown { node, epoch };
        self.end(error, Reason::NodeDown);
    }

    /// The other end's daemon was restarted; this end's session goes on under its number,
    /// with nothing said yet.
    pub(super) fn restarted(&mut self) {
        self.stats.restarts += 1;
        let node = self.node;
        if let Some(ended) = self.end(CallError::Restarted { node }, Reason::Restarted) {
            self.begin(ended.incarnation, ended.number);
        }
    }

    fn begin(&mut self, incarnation: u32, number: u64) {
        let count = self.next_session;
        self.next_session += 1;
        self.session = Some(Session {
            count,
            incarnation,
            number,
            theirs: None,
            credits: Credits::new(self.limits.waiting),
            pending: Pending::default(),
            serving: Serving::default(),
            lanes: Default::default(),
            chunks: 0,
            ack_at: None,
        });
    }

    /// Ends the session, if there is one; gives it back, empty.
    fn end(&mut self, error: CallError, reason: Reason) -> Option<Session> {
        let mut session = self.session.take()?;
        if session.pending.end() {
            self.actions.push_back(Action::CompleteAll(error));
        }
        for request in session.serving.requests() {
            let token = session.token(request);
            self.actions.push_back(Action::CancelHandler(token));
        }
        for (lane, service) in session.credits.refused() {
            self.actions.push_back(Action::WakeThrottled(lane, service));
        }
        for lane in Lane::ALL {
            if let Some(number) = session.lanes[lane.index()].conn {
                let conn = Conn { lane, number };
                self.actions.push_back(Action::Close(conn, reason));
            }
        }
        Some(session)
    }
}

impl Session {
    /// Whether this is the connection of its lane.
    pub(super) fn has(&self, conn: Conn) -> bool {
        self.lanes[conn.lane.index()].conn == Some(conn.number)
    }

    /// What a reply to the other end's request has to name.
    pub(super) fn token(&self, request: u64) -> Token {
        Token {
            session: self.count,
            request,
        }
    }

    /// A frame has come on a lane with a connection: true if so many have that an
    /// acknowledgement must go.
    pub(super) fn count(&mut self, now: Moment, lane: Lane, bytes: usize) -> bool {
        self.ack_at.get_or_insert(now + ACK_DELAY);
        self.lanes[lane.index()].received.count(now, bytes)
    }

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
    /// When an acknowledgement is due.
    pub(super) fn ack_at(&self) -> Option<Moment> {
        self.conn.and(self.received.ack_at())
    }
}
