//! When a node comes to lead the log: the moment, not the next time that it looks.
//!
//! A daemon that only looks when something else wakes it may lead for a good part of a second
//! and do nothing, and all that while nobody is the master.

use std::fmt;

use openraft::async_runtime::watch::WatchReceiver as _;
use openraft::{RaftMetrics, ServerState, TokioInstant, alias};

use super::{Seat, ViewLog};

/// Says when a seat's node comes to lead, or leads no more.
pub struct Leading {
    metrics: alias::WatchReceiverOf<ViewLog, RaftMetrics<ViewLog>>,
    term: Option<u64>,
}

impl fmt::Debug for Leading {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Leading")
            .field("term", &self.term)
            .finish_non_exhaustive()
    }
}

impl Leading {
    /// Waits until the node leads, confirmed by a majority of the voters, or leads no more,
    /// or in another term. False: the seat was left, and nothing changes any more.
    pub async fn changed(&mut self) -> bool {
        loop {
            if self.metrics.changed().await.is_err() {
                return false;
            }
            let term = lead(&self.metrics.borrow_watched()).map(|(term, _)| term);
            if std::mem::replace(&mut self.term, term) != term {
                return true;
            }
        }
    }
}

impl Seat {
    /// Watches whether this node leads.
    #[must_use]
    pub fn leading(&self) -> Leading {
        Leading {
            metrics: self.raft().metrics(),
            term: None,
        }
    }
}

/// In which term a node leads, and when it asked the voters that last confirmed it; none if
/// it leads alone, and nobody has to.
pub(super) fn lead(metrics: &RaftMetrics<ViewLog>) -> Option<(u64, Option<TokioInstant>)> {
    if metrics.state != ServerState::Leader || metrics.current_leader != Some(metrics.id) {
        return None;
    }
    if metrics.membership_config.membership().voter_ids().count() == 1 {
        return Some((metrics.current_term, None));
    }
    let acked = metrics.last_quorum_acked.as_ref()?;
    Some((metrics.current_term, Some(**acked)))
}
