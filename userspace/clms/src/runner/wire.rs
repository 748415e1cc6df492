//! The log's protocol between voters.

use std::future::Future;
use std::io;

use bytes::Bytes;
use openraft::errors::{RPCError, ReplicationClosed, StreamingError, Unreachable};
use openraft::network::RPCOption;
use openraft::raft::{
    AppendEntriesRequest, AppendEntriesResponse, SnapshotResponse, TransferLeaderRequest,
    TransferLeaderResponse, VoteRequest, VoteResponse,
};
use openraft::{EmptyNode, RaftNetworkFactory, RaftNetworkV2, alias};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::Messenger;
use super::heartbeats::Heartbeats;
use crate::log::{Generation, Heartbeat, Seat, ViewLog, Voter};

/// What one voter's log asks another's.
#[derive(Serialize, Deserialize)]
enum Question {
    Append(AppendEntriesRequest<ViewLog>),
    Vote(VoteRequest<ViewLog>),
    PreVote(VoteRequest<ViewLog>),
    Lead(TransferLeaderRequest<ViewLog>),
    Snapshot(
        alias::VoteOf<ViewLog>,
        Option<alias::LogIdOf<ViewLog>>,
        alias::StoredMembershipOf<ViewLog>,
        Vec<u8>,
    ),
}

/// Answers another voter's log.
///
/// # Errors
/// The question makes no sense, or this log has stopped.
pub(super) async fn answer(seat: &Seat, question: &[u8]) -> io::Result<Bytes> {
    let (generation, question): (u64, Question) =
        postcard::from_bytes(question).map_err(io::Error::other)?;
    if seat.generation().is_some_and(|own| own != generation) {
        return Err(io::Error::other("the log has been founded anew"));
    }
    let raft = seat.raft();
    match question {
        Question::Lead(rpc) => encode(&raft.handle_transfer_leader(rpc).await),
        Question::Append(rpc) => encode(&seat.append(rpc).await),
        Question::Vote(rpc) => encode(&seat.vote(rpc).await),
        Question::PreVote(rpc) => encode(&raft.pre_vote(rpc).await),
        Question::Snapshot(vote, last_log_id, last_membership, snapshot) => {
            let meta = alias::SnapshotMetaOf::<ViewLog> {
                last_log_id,
                last_membership,
            };
            let snapshot = alias::SnapshotOf::<ViewLog, Vec<u8>> { meta, snapshot };
            encode(&raft.install_full_snapshot(vote, snapshot).await)
        }
    }
}

fn encode<T: Serialize, E: std::fmt::Display>(said: &Result<T, E>) -> io::Result<Bytes> {
    let said = said
        .as_ref()
        .map_err(|error| io::Error::other(error.to_string()))?;
    let bytes = postcard::to_stdvec(said).map_err(io::Error::other)?;
    Ok(bytes.into())
}

/// Whether a question is a leader's: the witness has to know when it last heard one.
pub(super) fn is_leaders(question: &[u8]) -> bool {
    let question: Result<(u64, Question), _> = postcard::from_bytes(question);
    matches!(
        question,
        Ok((_, Question::Append(_) | Question::Snapshot(..)))
    )
}

/// Ways to the other voters.
#[derive(Clone, Debug)]
pub(super) struct Wires<M> {
    pub(super) messenger: M,
    /// Who this is, and how its heartbeats go while they say nothing new; if it is a node's.
    pub(super) heartbeats: Option<(Voter, Heartbeats)>,
    pub(super) generation: Generation,
}

impl<M: Messenger> RaftNetworkFactory<ViewLog> for Wires<M> {
    type Network = Wire<M>;

    async fn new_client(&mut self, target: Voter, _: &EmptyNode) -> Wire<M> {
        Wire {
            messenger: self.messenger.clone(),
            heartbeats: self.heartbeats.clone(),
            generation: self.generation.clone(),
            to: target,
        }
    }
}

/// The way to one other voter.
#[derive(Clone, Debug)]
pub(super) struct Wire<M> {
    messenger: M,
    heartbeats: Option<(Voter, Heartbeats)>,
    generation: Generation,
    to: Voter,
}

type Failed = RPCError<ViewLog>;

impl<M: Messenger> Wire<M> {
    async fn ask<T: DeserializeOwned>(
        &self,
        question: &Question,
        option: &RPCOption,
    ) -> Result<T, Failed> {
        let unreachable = |why: &str| RPCError::Unreachable(Unreachable::from_string(why));
        let question = postcard::to_stdvec(&(self.generation.get(), question))
            .map_err(|error| unreachable(&format!("cannot encode a question: {error}")))?;
        let answer = self
            .messenger
            .ask_log(self.to, question.into(), option.hard_ttl())
            .await
            .ok_or_else(|| unreachable("no answer"))?;
        postcard::from_bytes(&answer)
            .map_err(|error| unreachable(&format!("the answer makes no sense: {error}")))
    }
}

impl<M: Messenger> RaftNetworkV2<ViewLog> for Wire<M> {
    type SnapshotData = Vec<u8>;

    async fn append_entries(
        &mut self,
        rpc: AppendEntriesRequest<ViewLog>,
        option: RPCOption,
    ) -> Result<AppendEntriesResponse<ViewLog>, Failed> {
        if let Some((me, heartbeats)) = &self.heartbeats
            && let Some(heartbeat) = Heartbeat::of(&rpc, *me, self.generation.get())
            && heartbeats.send(self.to, heartbeat).await
        {
            return Ok(AppendEntriesResponse::Success);
        }
        self.ask(&Question::Append(rpc), &option).await
    }

    async fn vote(
        &mut self,
        rpc: VoteRequest<ViewLog>,
        option: RPCOption,
    ) -> Result<VoteResponse<ViewLog>, Failed> {
        self.ask(&Question::Vote(rpc), &option).await
    }

    async fn pre_vote(
        &mut self,
        rpc: VoteRequest<ViewLog>,
        option: RPCOption,
    ) -> Result<VoteResponse<ViewLog>, Failed> {
        self.ask(&Question::PreVote(rpc), &option).await
    }

    async fn transfer_leader(
        &mut self,
        rpc: TransferLeaderRequest<ViewLog>,
        option: RPCOption,
    ) -> Result<TransferLeaderResponse<ViewLog>, Failed> {
        self.ask(&Question::Lead(rpc), &option).await
    }

    async fn full_snapshot(
        &mut self,
        vote: alias::VoteOf<ViewLog>,
        snapshot: alias::SnapshotOf<ViewLog, Vec<u8>>,
        _cancel: impl Future<Output = ReplicationClosed> + Send + 'static,
        option: RPCOption,
    ) -> Result<SnapshotResponse<ViewLog>, StreamingError<ViewLog>> {
        let question = Question::Snapshot(
            vote,
            snapshot.meta.last_log_id,
            snapshot.meta.last_membership,
            snapshot.snapshot,
        );
        let said = self.ask(&question, &option).await;
        said.map_err(|error| {
            StreamingError::Unreachable(Unreachable::from_string(error.to_string()))
        })
    }
}
