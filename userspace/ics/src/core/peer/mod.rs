//! The engine of one peer: this node's end of all that it and another node say.
//!
//! The runner tells it what happened, and then does what [`Peer::poll_action`] says until
//! that is nothing.

mod action;
mod call;
mod connection;
mod receive;
mod serve;

use std::collections::VecDeque;

pub use action::{Action, CallId, Conn, Dispatch, Reason, Token};
pub use call::{Ask, Blocked};
pub use connection::Mismatch;

use super::credit::{Bounds, Credits};
use super::outgoing::Outgoing;
use super::pending::Pending;
use super::serving::Serving;
use super::stats::{LaneStats, PeerStats};
use super::{CallError, Epoch, Lane, Moment, Node};

/// How much of everything there may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Calls per lane and service that this node handles at once for the other, at least 1.
    pub window: u16,
    /// Chunks per stream that this node takes before the handler has used them, at least 1.
    pub chunks: u16,
    /// Calls that wait here for credit.
    pub waiting: Bounds,
    /// Bytes that a lane holds before calls wait for it.
    pub lane_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            window: 64,
            chunks: 16,
            waiting: Bounds {
                calls: 256,
                bytes: 4 << 20,
            },
            lane_bytes: 4 << 20,
        }
    }
}

/// What two lives of two nodes have said to each other.
#[derive(Debug)]
struct Session {
    /// Which life of the other node.
    incarnation: u32,
    /// This end's number for it.
    number: u64,
    /// The other end's, once it has said so.
    theirs: Option<u64>,
    credits: Credits,
    pending: Pending,
    serving: Serving,
    lanes: [LaneState; Lane::COUNT],
    /// Chunks per stream that the other end takes.
    chunks: u16,
}

#[derive(Debug, Default)]
struct LaneState {
    conn: Option<u64>,
    /// The runner knows that there is something to write.
    told: bool,
    out: Outgoing,
    /// Frames of the session that have been received.
    received: u64,
    /// How many of those the other end was told of, and when the first was that it wasn't.
    acknowledged: u64,
    unacknowledged_bytes: usize,
    since: Option<Moment>,
}

/// The engine of one peer.
#[derive(Debug)]
pub struct Peer {
    node: Node,
    limits: Limits,
    session: Option<Session>,
    /// Epoch of this node's view.
    epoch: Epoch,
    /// Epoch since which the node is down, if it is.
    down: Epoch,
    next_call: u64,
    next_conn: u64,
    actions: VecDeque<Action>,
    stats: PeerStats,
}

impl Peer {
    /// An engine for a node that is not up yet.
    #[must_use]
    pub fn new(node: Node, limits: Limits) -> Self {
        Self {
            node,
            limits,
            session: None,
            epoch: 0,
            down: 0,
            next_call: 1,
            next_conn: 1,
            actions: VecDeque::new(),
            stats: PeerStats::default(),
        }
    }

    /// A view came that has the node up in this life. What was said to an earlier life is
    /// over, see [`nodedown`](Self::nodedown). `session` has to be random and not 0: it lets
    /// the other end notice when this one has lost its memory.
    pub fn nodeup(&mut self, epoch: Epoch, incarnation: u32, session: u64) {
        self.nodedown(epoch);
        self.session = Some(Session {
            incarnation,
            number: session,
            theirs: None,
            credits: Credits::new(self.limits.waiting),
            pending: Pending::default(),
            serving: Serving::default(),
            lanes: Default::default(),
            chunks: 0,
        });
    }

    /// A view came that hasn't the node up. Every pending call completes, handlers are told,
    /// connections close, and nothing of that life is delivered from now on.
    pub fn nodedown(&mut self, epoch: Epoch) {
        self.epoch = epoch;
        self.down = epoch;
        let Some(mut session) = self.session.take() else {
            return;
        };
        // Completions stay: each call has to have one. Nothing that came is delivered.
        self.actions.retain(|action| {
            !matches!(
                action,
                Action::Dispatch(_) | Action::Data(..) | Action::DataEnd(_) | Action::Write(_)
            )
        });
        let node = self.node;
        for call in session.pending.clear() {
            self.actions.push_back(Action::Complete {
                call: CallId(call),
                result: Err(CallError::NodeDown { node, epoch }),
                round_trip: None,
            });
        }
        for request in session.serving.requests() {
            let token = Token {
                session: session.number,
                request,
            };
            self.actions.push_back(Action::CancelHandler(token));
        }
        for (lane, service) in session.credits.refused() {
            self.actions.push_back(Action::WakeThrottled(lane, service));
        }
        for lane in Lane::ALL {
            if let Some(number) = session.lanes[lane.index()].conn {
                let conn = Conn { lane, number };
                self.actions
                    .push_back(Action::Close(conn, Reason::NodeDown));
            }
        }
    }

    /// A view came in which this node's life is the same.
    pub fn view(&mut self, epoch: Epoch) {
        self.epoch = epoch;
    }

    /// Which life of the node is up, if one is.
    #[must_use]
    pub fn incarnation(&self) -> Option<u32> {
        self.session.as_ref().map(|session| session.incarnation)
    }

    /// The next thing to do.
    pub fn poll_action(&mut self) -> Option<Action> {
        self.actions.pop_front()
    }

    /// When [`tick`](Self::tick) has something to do, unless something happens before.
    #[must_use]
    pub fn next_tick(&self) -> Option<Moment> {
        let session = self.session.as_ref()?;
        let acks = session.lanes.iter().filter_map(LaneState::ack_at);
        acks.chain(session.pending.next_deadline())
            .chain(session.serving.next_deadline())
            .min()
    }

    /// Time has passed.
    pub fn tick(&mut self, now: Moment) {
        self.end_overdue(now);
        let Some(session) = &mut self.session else {
            return;
        };
        while let Some(request) = session.serving.overdue(now) {
            let token = Token {
                session: session.number,
                request,
            };
            self.actions.push_back(Action::CancelHandler(token));
        }
        for lane in Lane::ALL {
            if session.lanes[lane.index()]
                .ack_at()
                .is_some_and(|at| at <= now)
            {
                session.tell(lane, &mut self.actions);
            }
        }
    }

    /// What has been counted.
    #[must_use]
    pub fn stats(&self) -> PeerStats {
        let mut stats = self.stats;
        let Some(session) = &self.session else {
            return stats;
        };
        for (lane, count) in Lane::ALL.into_iter().zip(&mut stats.lanes) {
            let state = &session.lanes[lane.index()];
            let (waiting, used) = session.credits.counts(lane);
            *count = LaneStats {
                connected: state.conn.is_some(),
                kept_frames: state.out.len() as u64,
                kept_bytes: state.out.bytes() as u64,
                waiting: waiting as u64,
                credits_used: used as u64,
                ..*count
            };
        }
        stats.pending = session.pending.len() as u64;
        stats.serving = session.serving.len() as u64;
        stats.window = session.credits.window();
        stats
    }
}
