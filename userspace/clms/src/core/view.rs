//! The view: who belongs to the cluster.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::command::{ProbeKey, Resource};
use super::member::Member;
use super::witness::Seated;
use super::{NodeId, Number, State};

/// Counts the changes of the view: 1 is the cluster of one, 0 is before there was any.
pub type Epoch = u64;

/// What all nodes agree on. Two nodes at the same epoch have the same view.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct View {
    /// How often it has changed.
    pub epoch: Epoch,
    /// The cluster's name.
    pub cluster: String,
    /// The cluster's identity, random.
    pub identity: u64,
    /// How many nodes it can have, and so the largest number.
    pub max_nodes: u16,
    /// Every node that has ever joined and is not forgotten.
    pub members: BTreeMap<Number, Arc<Member>>,
    /// Who leads, if anybody has yet, and in which term of the log.
    pub master: Option<Master>,
    /// Which nodes vote about the log.
    pub voters: Vec<Number>,
    /// The epoch in which they came to.
    pub voters_since: Epoch,
    /// The voter that is no node, if there is one.
    pub witness: Option<Seated>,
    /// What probes are signed with now, and what they were signed with before.
    pub probe_keys: [ProbeKey; 2],
    /// Who owns what.
    pub owners: BTreeMap<Resource, Ownership>,
}

/// Who owns a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ownership {
    /// Who may use it, while it holds a lease.
    pub owner: Option<NodeId>,
    /// Who had it before, and may not have noticed yet.
    pub before: Option<NodeId>,
    /// The epoch in which it came to be so.
    pub since: Epoch,
}

/// Who leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Master {
    /// The node.
    pub node: NodeId,
    /// The term of the log.
    pub term: u64,
}

/// A node that went from one state to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transition {
    /// Which.
    pub node: NodeId,
    /// The state it was in.
    pub from: State,
    /// The state it is in now.
    pub to: State,
}

impl View {
    /// A member of this very life.
    #[must_use]
    pub fn member(&self, id: NodeId) -> Option<&Member> {
        self.members
            .get(&id.number)
            .map(Arc::as_ref)
            .filter(|member| member.id == id && member.state.is_member())
    }

    /// Whether this life of a node takes part.
    #[must_use]
    pub fn has(&self, id: NodeId) -> bool {
        self.member(id).is_some()
    }

    /// Who takes part, in the order of their numbers.
    pub fn present(&self) -> impl Iterator<Item = &Member> {
        self.members
            .values()
            .map(Arc::as_ref)
            .filter(|member| member.state.is_member())
    }

    /// The life of a number that takes part now.
    #[must_use]
    pub fn current(&self, number: Number) -> Option<NodeId> {
        self.members
            .get(&number)
            .filter(|member| member.state.is_member())
            .map(|member| member.id)
    }

    /// Nodes that are down but not yet cleaned up after.
    pub fn leaving(&self) -> impl Iterator<Item = &Member> {
        self.members
            .values()
            .map(Arc::as_ref)
            .filter(|member| member.state.is_cleanup())
    }

    /// What a node owns.
    pub fn owned(&self, id: NodeId) -> impl Iterator<Item = &Resource> {
        self.owners
            .iter()
            .filter(move |(_, held)| held.owner == Some(id))
            .map(|(resource, _)| resource)
    }

    /// Which state transitions lead from `before` to this view.
    #[must_use]
    pub fn transitions(&self, before: &Self) -> Vec<Transition> {
        self.members
            .values()
            .filter_map(|member| {
                let from = before
                    .members
                    .get(&member.id.number)
                    .map_or(State::NeverUp, |old| old.state);
                (from != member.state).then_some(Transition {
                    node: member.id,
                    from,
                    to: member.state,
                })
            })
            .collect()
    }
}
