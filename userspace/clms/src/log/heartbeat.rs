//! Heartbeats that fit into a datagram.
//!
//! A leader tells each voter several times a second that it leads, and hears that the voter
//! agrees. While nothing is new, that is four numbers, and one bit in answer; by TCP and TLS
//! it would be four packets with several times as many bytes around them.

use openraft::alias::{LogIdOf, VoteOf};
use openraft::raft::AppendEntriesRequest;

use super::{ViewLog, Voter};

/// As many generations as an epoch has room for, see
/// [`generation`](crate::core::pair::generation).
const GENERATIONS: u32 = 1 << 24;

/// What a leader says to a voter while nothing is new.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Heartbeat {
    /// Which generation of the log it leads, see [`Generation`](super::Generation).
    pub generation: u32,
    /// In which term.
    pub term: u64,
    /// The last entry's term: the voter has it, and it counts.
    pub log_term: u64,
    /// The last entry's index.
    pub log_index: u64,
}

impl Heartbeat {
    /// What a request of `leader` says, if that is all that it says.
    #[must_use]
    pub fn of(
        request: &AppendEntriesRequest<ViewLog>,
        leader: Voter,
        generation: u64,
    ) -> Option<Self> {
        let AppendEntriesRequest {
            vote,
            prev_log_id,
            leader_commit,
            entries,
        } = request;
        let last = prev_log_id.as_ref()?;
        let heartbeat = Self {
            generation: u32::try_from(generation)
                .ok()
                .filter(|it| *it < GENERATIONS)?,
            term: vote.leader_id.term,
            log_term: last.leader_id.term,
            log_index: last.index,
        };
        let same = *vote == heartbeat.vote(leader) && leader_commit.as_ref() == Some(last);
        (same && entries.is_empty()).then_some(heartbeat)
    }

    /// The request that it was.
    #[must_use]
    pub fn request(&self, leader: Voter) -> AppendEntriesRequest<ViewLog> {
        let last = LogIdOf::<ViewLog>::new_term_index(self.log_term, self.log_index);
        AppendEntriesRequest {
            vote: self.vote(leader),
            prev_log_id: Some(last),
            leader_commit: Some(last),
            entries: Vec::new(),
        }
    }

    fn vote(&self, leader: Voter) -> VoteOf<ViewLog> {
        VoteOf::<ViewLog>::new_committed(self.term, leader)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_request_becomes_a_heartbeat_and_is_the_same_again(
            generation in 0..GENERATIONS,
            numbers in any::<[u64; 3]>(),
            leader in 1..512_u16,
        ) {
            let [term, log_term, log_index] = numbers;
            let heartbeat = Heartbeat { generation, term, log_term, log_index };
            let request = heartbeat.request(leader);
            let generation = u64::from(generation);
            prop_assert_eq!(Heartbeat::of(&request, leader, generation), Some(heartbeat));
            prop_assert_eq!(Heartbeat::of(&request, leader + 1, generation), None);
        }
    }

    #[test]
    fn what_says_more_is_none() {
        let heartbeat = Heartbeat {
            generation: 0,
            term: 3,
            log_term: 2,
            log_index: 9,
        };
        let behind = LogIdOf::<ViewLog>::new_term_index(2, 8);
        let mut request = heartbeat.request(1);
        request.prev_log_id = Some(behind);
        assert_eq!(Heartbeat::of(&request, 1, 0), None, "it may lack an entry");
        request.prev_log_id = None;
        assert_eq!(
            Heartbeat::of(&request, 1, 0),
            None,
            "nothing is known of it"
        );
        let mut request = heartbeat.request(1);
        request.leader_commit = Some(behind);
        assert_eq!(
            Heartbeat::of(&request, 1, 0),
            None,
            "the last doesn't count yet"
        );
        let mut request = heartbeat.request(1);
        request.vote.committed = false;
        assert_eq!(Heartbeat::of(&request, 1, 0), None, "it leads nobody yet");
        let request = heartbeat.request(1);
        assert_eq!(
            Heartbeat::of(&request, 1, 1 << 24),
            None,
            "too many generations"
        );
    }
}
