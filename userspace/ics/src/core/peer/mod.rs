//! The engine of one peer: this node's end of all that it and another node say.
//!
//! The runner tells it what happened, and then does what [`Peer::poll_action`] says until
//! that is nothing.

mod action;
mod call;
mod connection;
mod receive;
mod received;
mod serve;
mod session;

use std::collections::VecDeque;

pub use action::{Action, CallId, Conn, Dispatch, Reason, Token};
pub use call::{Ask, Blocked};
pub use connection::Mismatch;
use session::{LaneState, Session};

use super::credit::Bounds;
use super::stats::{LaneStats, PeerStats, ServiceStats};
use super::{Epoch, Lane, Moment, Node};

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
    next_session: u64,
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
            next_session: 1,
            actions: VecDeque::new(),
            stats: PeerStats::default(),
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

    /// When [`tick`](Self::tick) may have something to do, unless something happens before.
    #[must_use]
    pub fn next_tick(&self) -> Option<Moment> {
        let session = self.session.as_ref()?;
        let deadlines = [
            session.ack_at,
            session.pending.next_deadline(),
            session.serving.next_deadline(),
        ];
        deadlines.into_iter().flatten().min()
    }

    /// Time has passed.
    pub fn tick(&mut self, now: Moment) {
        self.end_overdue(now);
        let Some(session) = &mut self.session else {
            return;
        };
        while let Some(request) = session.serving.overdue(now) {
            let token = session.token(request);
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
        // What has been told of is acknowledged with whatever is written next.
        let due = session.lanes.iter().filter_map(LaneState::ack_at);
        session.ack_at = due.filter(|at| *at > now).min();
    }

    /// Calls that are not complete.
    #[must_use]
    pub fn pending(&self) -> usize {
        let session = self.session.as_ref();
        session.map_or(0, |session| session.pending.len())
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
            let (waiting, used, left) = session.credits.counts(lane);
            let (queued_frames, queued_bytes) = state.out.queued();
            let calls = !matches!(lane, Lane::Reply | Lane::PriorityReply);
            *count = LaneStats {
                connected: state.conn.is_some(),
                kept_frames: state.out.len() as u64,
                kept_bytes: state.out.bytes() as u64,
                queued_frames: queued_frames as u64,
                queued_bytes: queued_bytes as u64,
                waiting: waiting as u64,
                credits_used: used as u64,
                credits_left: (calls && session.theirs.is_some()).then_some(left.into()),
                ..*count
            };
        }
        stats.pending = session.pending.len() as u64;
        stats.serving = session.serving.len() as u64;
        stats.window = session.credits.window();
        stats
    }

    /// Which services of the node were called in this session, on each lane.
    pub fn service_stats(&self) -> impl Iterator<Item = ServiceStats> {
        let session = self.session.iter();
        session.flat_map(|session| session.credits.services())
    }
}
