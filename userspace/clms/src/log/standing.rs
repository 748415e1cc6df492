//! Standing for election: one voter after the other.
//!
//! Voters who wait for a random time, as Raft has it, may stand at the same moment, and then
//! nobody is elected for as long again. Here each has its turn: when the leader was silent for
//! so long, the voters other than that leader stand in the order of their numbers, some time
//! apart. Who has less in its log than another, or isn't silent to the others, is not elected
//! and has changed nothing: they are asked first (a pre-vote). If all had their turn in vain,
//! it begins again, with twice the time between two: whatever an election takes there, one
//! turn will be long enough.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use openraft::async_runtime::watch::WatchReceiver as _;
use openraft::{RaftMetrics, ServerState};
use tokio::task::AbortHandle;
use tokio::time::{Instant, sleep_until};

use super::{Raft, ViewLog, Voter, WITNESS};
use crate::core::Timing;

/// Rounds after which the next one is no longer than the last.
const ROUNDS: u32 = 5;

/// When this voter last had to do with a leader, or with somebody whom it voted for.
#[derive(Debug)]
pub(super) struct Contact(Mutex<Instant>);

impl Contact {
    pub(super) fn new() -> Self {
        Self(Mutex::new(Instant::now()))
    }

    /// It has right now.
    pub(super) fn touch(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    fn last(&self) -> Instant {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A voter's standing, until this is dropped.
#[derive(Debug)]
pub(super) struct Standing(AbortHandle);

impl Drop for Standing {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Standing {
    /// Has a voter stand when it is its turn.
    pub(super) fn begin(raft: Raft, contact: Arc<Contact>, timing: Timing) -> Self {
        let task = async move {
            // The seat is left, or the log has stopped by itself: whoever asks it is told.
            let _ = stand(&raft, &contact, &timing).await;
        };
        Self(tokio::spawn(task).abort_handle())
    }
}

/// Where a voter is among those that may stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Place {
    /// So many have their turn before.
    rank: u32,
    /// So many may stand.
    count: u32,
}

impl Place {
    /// None: this voter has nothing to stand for, as it leads or doesn't vote.
    fn of(metrics: &RaftMetrics<ViewLog>) -> Option<Self> {
        if metrics.state == ServerState::Leader {
            return None;
        }
        let voters = metrics.membership_config.membership().voter_ids();
        let silent = metrics.current_leader;
        let mut field: Vec<Voter> = voters
            .filter(|voter| Some(*voter) != silent && *voter != WITNESS)
            .collect();
        field.sort_unstable();
        let rank = field.iter().position(|voter| *voter == metrics.id)?;
        Some(Self {
            rank: u32::try_from(rank).ok()?,
            count: u32::try_from(field.len()).ok()?,
        })
    }

    /// After which silence it stands for the first time, the second …
    fn turn(self, timing: &Timing, before: u32) -> Duration {
        // Everybody's promise not to elect another is over, and then half of that again: a
        // leader that has much to do is not deposed.
        let silence = timing.mastery * 3 / 2;
        let step = timing.mastery / 7;
        // Who stands again while its own election is under way begins it anew.
        let round = (step * self.count).max(timing.mastery / 2);
        let times = |round: u32| 1 << round.min(ROUNDS);
        let rounds: Duration = (0..before).map(|before| round * times(before)).sum();
        silence + rounds + step * times(before) * self.rank
    }
}

async fn stand(raft: &Raft, contact: &Contact, timing: &Timing) -> Result<(), Ended> {
    let mut metrics = raft.metrics();
    let (mut since, mut before) = (contact.last(), 0);
    loop {
        let (place, alone) = {
            let metrics = metrics.borrow_watched();
            let voters = metrics.membership_config.membership().voter_ids();
            (Place::of(&metrics), voters.count() == 1)
        };
        let Some(place) = place else {
            metrics.changed().await.map_err(|_| Ended)?;
            // A leader that leads no more has been heard, in a way.
            (since, before) = (contact.last().max(Instant::now()), 0);
            continue;
        };
        if contact.last() > since {
            (since, before) = (contact.last(), 0);
        }
        let at = match alone {
            true => since,
            false => since + place.turn(timing, before),
        };
        tokio::select! {
            changed = metrics.changed() => changed.map_err(|_| Ended)?,
            () = sleep_until(at) => if contact.last() <= since {
                raft.trigger().elect(!alone).await.map_err(|_| Ended)?;
                before += 1;
                if alone {
                    metrics.changed().await.map_err(|_| Ended)?;
                }
            },
        }
    }
}

/// The seat is left, or the log has stopped.
struct Ended;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_stands_with_another_nor_before_the_promises_are_over() {
        let timing = Timing::default();
        for count in 1..=7 {
            let mut turns: Vec<Duration> = (0..8)
                .flat_map(|before| {
                    (0..count)
                        .map(move |rank| Place { rank, count }.turn(&Timing::default(), before))
                })
                .collect();
            assert!(turns[0] > timing.mastery);
            assert!(turns.is_sorted(), "{turns:?}");
            turns.dedup();
            assert_eq!(turns.len(), 8 * count as usize, "{turns:?}");
            let apart = turns.windows(2).map(|two| two[1] - two[0]);
            assert!(apart.min().is_none_or(|least| least >= timing.mastery / 7));
        }
    }
}
