//! A potential master's seat among the voters.

use std::collections::BTreeSet;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use openraft::async_runtime::watch::WatchReceiver as _;
use openraft::errors::{ClientWriteError, Fatal, RaftError};
use openraft::network::NetSnapshot;
use openraft::raft::{AppendEntriesRequest, AppendEntriesResponse, VoteRequest, VoteResponse};
use openraft::{EmptyNode, Instant as _, RaftNetworkFactory, ServerState, TokioInstant};

use super::leading::lead;
use super::standing::{Contact, Standing};
use super::{Generation, Heartbeat, Machine, News, Raft, Store, ViewLog, Voter, WITNESS, config};
use crate::core::command::{Command, Refused};
use crate::core::{Epoch, Timing};

/// One node's part in the log.
#[derive(Clone, Debug)]
pub struct Seat {
    raft: Raft,
    me: Voter,
    generation: Generation,
    contact: Arc<Contact>,
    /// A witness does not stand.
    _standing: Option<Arc<Standing>>,
}

/// This node leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Leadership {
    /// In which term.
    pub term: u64,
    /// How long ago the voters that last confirmed it were asked: they elect nobody else
    /// before that is [`Timing::mastery`].
    pub age: Duration,
    /// Which generation of the log it leads.
    pub generation: u64,
    /// Nobody else votes, by all that the log has, committed or not.
    pub alone: bool,
}

/// Why an entry was not written.
#[derive(Debug, thiserror::Error)]
pub enum NotWritten {
    /// This node does not lead, or no more.
    #[error("this node is not the master")]
    NotLeader,
    /// The log has failed: the disk, most likely.
    #[error("the view log has stopped: {0}")]
    Failed(String),
}

impl Seat {
    /// Takes the seat. A seat that was left is taken again only after
    /// [`Timing::mastery`], because what it promised to the master then is not on disk.
    /// `generation` is the same that the network's questions are marked with.
    ///
    /// # Errors
    /// The log can't be read.
    pub async fn take<N>(
        me: Voter,
        timing: &Timing,
        generation: Generation,
        network: N,
        store: Store,
        news: News,
    ) -> io::Result<Self>
    where
        N: RaftNetworkFactory<ViewLog>,
        N::Network: NetSnapshot<ViewLog, SnapshotData = Vec<u8>>,
    {
        let machine = Machine::new(store.clone(), generation.clone(), news);
        let config = config(timing, me == WITNESS);
        let raft = Raft::new(me, config, network, store, machine).await;
        let raft = raft.map_err(io::Error::other)?;
        let contact = Arc::new(Contact::new());
        let stands = me != WITNESS;
        let standing =
            stands.then(|| Standing::begin(raft.clone(), contact.clone(), timing.clone()));
        Ok(Self {
            raft,
            me,
            generation,
            contact,
            _standing: standing.map(Arc::new),
        })
    }

    /// The log's protocol, for what comes over the network.
    #[must_use]
    pub fn raft(&self) -> &Raft {
        &self.raft
    }

    /// Which generation of the log it has; none if it has nothing of any.
    #[must_use]
    pub fn generation(&self) -> Option<u64> {
        let metrics = self.raft.metrics();
        let begun = metrics.borrow_watched().last_log_index.is_some();
        begun.then(|| self.generation.get())
    }

    /// Takes in a heartbeat of another voter; whether this log agrees with all of it. Else
    /// the leader has to ask in its own words, and hears why not.
    pub async fn agrees(&self, leader: Voter, heartbeat: Heartbeat) -> bool {
        if self.generation() != Some(u64::from(heartbeat.generation)) {
            return false;
        }
        let said = self.append(heartbeat.request(leader)).await;
        said.is_ok_and(|said| said.is_success())
    }

    /// Takes in what a leader says.
    ///
    /// # Errors
    /// This log has stopped.
    pub async fn append(
        &self,
        rpc: AppendEntriesRequest<ViewLog>,
    ) -> Result<AppendEntriesResponse<ViewLog>, RaftError<ViewLog>> {
        let said = self.raft.append_entries(rpc).await;
        if said
            .as_ref()
            .is_ok_and(|said| !matches!(said, AppendEntriesResponse::HigherVote(_)))
        {
            self.contact.touch();
        }
        said
    }

    /// Votes, or doesn't.
    ///
    /// # Errors
    /// This log has stopped.
    pub async fn vote(
        &self,
        rpc: VoteRequest<ViewLog>,
    ) -> Result<VoteResponse<ViewLog>, RaftError<ViewLog>> {
        let said = self.raft.vote(rpc).await;
        if said.as_ref().is_ok_and(|said| said.vote_granted) {
            self.contact.touch();
        }
        said
    }

    /// Founds a cluster: this node is the only voter.
    ///
    /// # Errors
    /// The log isn't empty, or has failed.
    pub async fn found(&self, command: Command) -> io::Result<()> {
        let first = BTreeSet::from([self.me]);
        self.raft
            .initialize(first)
            .await
            .map_err(io::Error::other)?;
        let patience = Some(Duration::from_secs(5));
        let leads = self.raft.wait(patience);
        leads
            .state(ServerState::Leader, "the only voter leads")
            .await
            .map_err(io::Error::other)?;
        let said = self.propose(command).await.map_err(io::Error::other)?;
        said.map(|_| ()).map_err(io::Error::other)
    }

    /// Whether this node leads, as it knows itself.
    #[must_use]
    pub fn leadership(&self) -> Option<Leadership> {
        let metrics = self.raft.metrics();
        let (term, acked) = lead(&metrics.borrow_watched())?;
        Some(Leadership {
            term,
            alone: acked.is_none(),
            generation: self.generation.get(),
            age: acked.map_or(Duration::ZERO, |acked| TokioInstant::now() - acked),
        })
    }

    /// Writes an entry; what it made of the view once it is committed.
    ///
    /// # Errors
    /// It was not written, as far as this node knows: it may be committed all the same.
    pub async fn propose(&self, command: Command) -> Result<Result<Epoch, Refused>, NotWritten> {
        match self.raft.client_write(command).await {
            Ok(said) => Ok(said.data),
            Err(error) => Err(not_written(&error)),
        }
    }

    /// Changes who votes.
    ///
    /// # Errors
    /// It was not changed, as far as this node knows.
    pub async fn set_voters(&self, wanted: BTreeSet<Voter>) -> Result<(), NotWritten> {
        let known: BTreeSet<Voter> = {
            let metrics = self.raft.metrics();
            let metrics = metrics.borrow_watched();
            metrics
                .membership_config
                .membership()
                .nodes()
                .map(|(id, _)| *id)
                .collect()
        };
        for voter in wanted.difference(&known) {
            let added = self.raft.add_learner(*voter, EmptyNode {}, false).await;
            added.map_err(|error| not_written(&error))?;
        }
        let changed = self.raft.change_membership(wanted, false).await;
        changed.map(|_| ()).map_err(|error| not_written(&error))
    }

    /// As the leader, has another voter lead. Nothing more is written by this one; if the other
    /// doesn't take over, somebody is elected.
    pub async fn hand_over(&self, heir: Voter) {
        // It fails if the log has stopped by itself: then others elect somebody, too.
        let _ = self.raft.trigger().transfer_leader(heir).await;
    }

    /// Leaves the seat.
    pub async fn leave(&self) {
        // It fails if the log has stopped by itself, which is as good.
        let _ = self.raft.shutdown().await;
    }
}

fn not_written(error: &RaftError<ViewLog, ClientWriteError<ViewLog>>) -> NotWritten {
    match error {
        RaftError::Fatal(fatal) => NotWritten::Failed(reason(fatal)),
        RaftError::APIError(_) => NotWritten::NotLeader,
    }
}

fn reason(fatal: &Fatal<ViewLog>) -> String {
    fatal.to_string()
}
