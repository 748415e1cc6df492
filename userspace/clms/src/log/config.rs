//! What the log is made of.

use std::fmt;
use std::sync::Arc;

use openraft::{Config, EmptyNode, SnapshotPolicy};
use openraft_rt::deterministic_rng::DeterministicRng;
use openraft_rt_tokio::TokioRuntime;

use super::Voter;
use crate::core::command::{Command, Refused};
use crate::core::{Epoch, Timing};

openraft::declare_raft_types!(
    /// The types of the view log. One leader a term, so that a term names a master. The
    /// runtime's randomness comes from a seed that the caller sets, and a simulation can
    /// be run again.
    pub ViewLog:
        D = Command,
        R = Result<Epoch, Refused>,
        NodeId = Voter,
        Node = EmptyNode,
        LeaderId = openraft::impls::leader_id_std::LeaderId<Self::Term, Self::NodeId>,
        AsyncRuntime = DeterministicRng<TokioRuntime>,
);

impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Found { cluster, .. } => write!(f, "found {cluster}"),
            Self::Join { nodes } => {
                f.write_str("taken in:")?;
                let mut names = nodes.iter().map(|wish| &wish.candidate.name);
                names.try_for_each(|name| write!(f, " {name}"))
            }
            Self::TakeOver { number, .. } => write!(f, "node {number} takes over"),
            Self::Witness { witness: Some(_) } => f.write_str("there is a witness"),
            Self::Witness { witness: None } => f.write_str("there is no witness"),
            Self::Return {
                number, candidate, ..
            } => {
                write!(f, "node {number}, {}, begins a new life", candidate.name)
            }
            Self::Step { nodes, to } => {
                write!(f, "{to}:")?;
                nodes.iter().try_for_each(|node| write!(f, " {node}"))
            }
            Self::Remove { nodes, .. } => {
                f.write_str("out:")?;
                nodes
                    .iter()
                    .try_for_each(|(id, why)| write!(f, " {id} ({why:?})"))
            }
            Self::Master { node, term } => write!(f, "master {node} in term {term}"),
            Self::Voters { voters, witness } => {
                let with = if *witness { " and the witness" } else { "" };
                write!(f, "voters {voters:?}{with}")
            }
            Self::Assign { resource, owner } => match owner {
                Some(owner) => write!(f, "{resource} to {owner}"),
                None => write!(f, "{resource} is given back"),
            },
            Self::Forget { number } => write!(f, "node {number} is forgotten"),
            Self::Tell { subsystem, body } => {
                write!(f, "{subsystem} is told {} bytes", body.len())
            }
        }
    }
}

/// How the log behaves at a node, or at a witness, which does not stand for election.
///
/// A follower that hears nothing from the leader for [`Timing::mastery`] votes for another;
/// before, it votes for nobody.
#[must_use]
pub fn config(timing: &Timing, witness: bool) -> Arc<Config> {
    let mastery = u64::try_from(timing.mastery.as_millis()).unwrap_or(u64::MAX);
    let config = Config {
        cluster_name: "ssi".to_owned(),
        heartbeat_interval: mastery * 2 / 5,
        election_timeout_min: mastery / 2,
        election_timeout_max: mastery,
        // A node that was away must not depose a master who is well.
        enable_pre_vote: Some(true),
        // They stand in turns (see `standing`), a witness by itself.
        enable_elect: false,
        enable_leader_restore: Some(!witness),
        snapshot_policy: SnapshotPolicy::LogsSinceLast(1_000),
        max_in_snapshot_log_to_keep: 200,
        ..Config::default()
    };
    Arc::new(config.validate().expect("these values go together"))
}
