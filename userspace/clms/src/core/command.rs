//! What is written to the view log: the only thing that changes the view.

use serde::{Deserialize, Serialize};

use super::member::{Candidate, Why};
use super::witness::Witness;
use super::{Epoch, NodeId, Number, State, View};

/// Something that nodes own one at a time: a virtual address to direct, a service to run.
pub type Resource = String;

/// A key that probes are signed with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProbeKey {
    /// Tells the keys apart; counts up; 0: no key.
    pub id: u16,
    /// The key itself.
    pub words: [u64; 2],
}

/// A node that wants to join.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wish {
    /// The number it wants; none: the lowest that is free, or the one it had.
    pub number: Option<Number>,
    /// Who it is.
    pub candidate: Candidate,
}

/// An entry of the view log. Randomness and time come with the entry, so that all nodes
/// make the same of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Command {
    /// The first entry: a cluster of one.
    Found {
        /// The cluster's name.
        cluster: String,
        /// Its identity: random, never to be met again.
        identity: u64,
        /// How many nodes it can have.
        max_nodes: u16,
        /// The number of its first node.
        number: Number,
        /// Its first node.
        candidate: Candidate,
        /// The first probe key.
        probe_key: [u64; 2],
    },
    /// Nodes join or come back.
    Join {
        /// Which.
        nodes: Vec<Wish>,
    },
    /// The leader of the log, no member any more, begins a new life by itself, because
    /// there may be nobody who could take it in. Its former life is over at once, however far
    /// it was in its coming and going.
    Return {
        /// Its number.
        number: Number,
        /// Who it is; with the key that has the number.
        candidate: Candidate,
        /// The epoch of the view from which it saw that it may.
        epoch: Epoch,
    },
    /// The first entry of a log that is founded anew, in a pair whose only voter is off.
    TakeOver {
        /// The last view of the log before.
        view: Box<View>,
        /// The node that takes over.
        number: Number,
        /// Who it is.
        candidate: Candidate,
        /// What probes are signed with from now on.
        probe_key: [u64; 2],
    },
    /// There is another witness, or none any more; one that votes first stops to.
    Witness {
        /// Which.
        witness: Option<Witness>,
    },
    /// Nodes go one step on in their coming or going.
    Step {
        /// Which.
        nodes: Vec<NodeId>,
        /// The state they go to.
        to: State,
    },
    /// Nodes are put out, all that failed together at once.
    Remove {
        /// Which, and why each.
        nodes: Vec<(NodeId, Why)>,
        /// What probes are signed with from now on: those who are out don't get to know.
        probe_key: [u64; 2],
    },
    /// A voter has become the master.
    Master {
        /// Which.
        node: NodeId,
        /// The term of the log in which it leads.
        term: u64,
    },
    /// Who votes about the log has changed.
    Voters {
        /// All voters that are nodes.
        voters: Vec<Number>,
        /// Whether the witness votes too.
        witness: bool,
    },
    /// A resource gets an owner, or has none from now on: the owner gives it back.
    Assign {
        /// What.
        resource: Resource,
        /// To whom.
        owner: Option<NodeId>,
    },
    /// A node that is down is forgotten; its number is free.
    Forget {
        /// Which.
        number: Number,
    },
    /// An agreed entry for a subsystem: every node tells it the same at the same epoch.
    /// Nothing else of the view changes.
    Tell {
        /// Which subsystem.
        subsystem: String,
        /// What only it understands; at most [`MOST_TOLD`] bytes.
        body: Vec<u8>,
    },
}

/// Most bytes that [`Command::Tell`] can tell at once.
pub const MOST_TOLD: usize = 256 * 1_024;

/// Why an entry changes nothing. It stays in the log all the same, and all nodes refuse
/// it alike.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
pub enum Refused {
    /// There is a cluster already.
    #[error("the cluster has been founded already")]
    Founded,
    /// There is none yet.
    #[error("there is no cluster yet")]
    NotFounded,
    /// No member by that number and incarnation.
    #[error("node {0} is no member")]
    NoSuchNode(NodeId),
    /// No node by that number.
    #[error("there is no node {0}")]
    NoSuchNumber(Number),
    /// The number has another key.
    #[error(
        "node number {0} belongs to another node; `ssi cluster --forget {0}` frees it once that node is down"
    )]
    NumberTaken(Number),
    /// The key has another number.
    #[error("this node is number {0}; `ssi cluster --forget {0}` frees that once it is down")]
    HasNumber(Number),
    /// The node still counts as a member, or is being cleaned up after.
    #[error("node {number} is still {state}; it can join again once it is DOWN")]
    NotDown {
        /// Which.
        number: Number,
        /// How far it is.
        state: State,
    },
    /// All numbers are used.
    #[error("all {max} node numbers are in use")]
    Full {
        /// How many there are.
        max: u16,
    },
    /// The cluster can't have so many nodes.
    #[error("a cluster can have up to {} nodes", super::witness::MOST_NODES)]
    TooMany,
    /// The cluster has no such number.
    #[error("node number {number} is too large: this cluster has 1 to {max}")]
    TooLarge {
        /// Which.
        number: Number,
        /// The largest.
        max: u16,
    },
    /// It can't go there from where it is.
    #[error("node {node} cannot go from {from} to {to}")]
    NoSuchStep {
        /// Which.
        node: NodeId,
        /// Where it is.
        from: State,
        /// Where it should go.
        to: State,
    },
    /// The resource is held by a member that has not given it back.
    #[error("{resource} is still held by node {owner}")]
    Held {
        /// What.
        resource: Resource,
        /// By whom.
        owner: NodeId,
    },
    /// It was decided upon from a view that is not the last.
    #[error("the view has gone on to epoch {0}")]
    Stale(Epoch),
    /// This is no pair without a tie-breaker, or not the partner of its only voter.
    #[error("there is nothing to take over: the log has other voters, or this node has left")]
    NothingToTakeOver,
    /// Another witness votes.
    #[error("another witness votes; remove that one first")]
    WitnessVotes,
    /// A subsystem can't be told so much at once.
    #[error("{bytes} bytes are too many for one entry: at most {MOST_TOLD} can be told at once")]
    TooLong {
        /// How many were given.
        bytes: u64,
    },
    /// Nothing would change.
    #[error("nothing to change")]
    Nothing,
    /// The node counts as a voter.
    #[error(
        "node {0} still votes about the view log; it can be forgotten once it votes no more, which the master sees to when it has been gone for a while"
    )]
    Votes(Number),
}
