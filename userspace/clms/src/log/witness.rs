//! The seat of a witness: a voter that is no node.
//!
//! It votes and has the log, and does not stand for election. There is one case in which
//! the pair could not go on then: one node and the witness have made entries count that the
//! other node lacks, and the first is gone. The other can't be elected by a witness that has
//! more than it. So, when there has been no leader for a while and a majority would have
//! it, the witness leads the log for a moment, gives the other node what it lacks and hands
//! the lead over. It never is the master: that takes an entry which it does not write.

use std::time::Duration;

use openraft::ServerState;
use openraft::async_runtime::watch::WatchReceiver as _;

use super::{Seat, Voter};

impl Seat {
    /// As a witness, sees to it that somebody else leads; call it a few times a second.
    /// `quiet`: how long ago a leader was last heard.
    pub async fn witness(&self, quiet: Duration) {
        // The log has stopped by itself if this fails, and whoever asks it is told.
        let _ = if let Some(next) = self.next_leader() {
            self.raft().trigger().transfer_leader(next).await
        } else if quiet > QUIET && !self.leads() {
            // The others are asked first: they refuse while they have a leader or know more.
            self.raft().trigger().elect(true).await
        } else {
            return;
        };
    }

    fn leads(&self) -> bool {
        let metrics = self.raft().metrics();
        let metrics = metrics.borrow_watched();
        metrics.state == ServerState::Leader
    }

    /// A voter that has all that this one has, if this one leads.
    fn next_leader(&self) -> Option<Voter> {
        let metrics = self.raft().metrics();
        let metrics = metrics.borrow_watched();
        let replication = metrics.replication.as_ref()?;
        let voters = metrics.membership_config.membership().voter_ids();
        let mut others = voters.filter(|voter| *voter != metrics.id);
        others.find(|voter| {
            let matched = replication.get(voter).and_then(Option::as_ref);
            matched.map(|log_id| log_id.index) >= metrics.last_log_index
        })
    }
}

/// How long there must have been no leader before the witness does anything: the pair
/// elects one in a fraction of it if it can.
const QUIET: Duration = Duration::from_secs(1);
