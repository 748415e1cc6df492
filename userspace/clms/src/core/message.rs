//! What nodes tell each other about membership, over ICS.

use serde::{Deserialize, Serialize};

use super::command::{Command, Refused, Wish};
use super::member::Key;
use super::{Epoch, NodeId, Time, View};

/// A message from one node to another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Message {
    /// To the master: how far I am, and whom I find dead.
    Report(Report),
    /// From another observer of a node that it doubts, or from the master when several have
    /// failed: look at all that you observe, now.
    LookAround,
    /// From the master: the next entry of the view log.
    Update {
        /// The epoch that the entry leads to.
        epoch: Epoch,
        /// The entry.
        command: Command,
    },
    /// From the master, to a node that has missed entries: the whole view.
    Snapshot(Box<View>),
    /// To the master: I need a lease.
    LeaseAsk {
        /// The holder's clock, in nanoseconds.
        clock: u64,
        /// The epoch whose view the holder goes by.
        epoch: Epoch,
    },
    /// From the master: you have one.
    LeaseGiven {
        /// The reading of the holder's clock from which it runs.
        clock: u64,
    },
    /// To any member, who passes it on to the master: take me in. Former lives of the same
    /// key are over and hold nothing any more.
    Join(Wish),
    /// From the master, back the way that the wish came: it can't be taken in.
    JoinRefused {
        /// Who asked.
        key: Key,
        /// Why not.
        why: Refused,
    },
    /// To the master: let me go.
    Leave,
    /// To those that may have, by the door, from the only voter when it begins a new life:
    /// has the log been founded anew without me?
    HaveYouTakenOver {
        /// Who asks.
        key: Key,
        /// In which life.
        life: u64,
        /// The epoch up to which its log goes.
        epoch: Epoch,
    },
    /// The answer, if it hasn't.
    IHaveNotTakenOver {
        /// Who answers.
        key: Key,
        /// The asker's life.
        life: u64,
    },
    /// To anybody, from a node that nobody seems to hear: am I still a member?
    AmI(NodeId),
    /// From anybody: you are not; the view has gone on without you.
    Gone(NodeId),
    /// Pass this on to a node that I can't reach.
    Relay {
        /// Whose message it is.
        from: NodeId,
        /// For whom.
        to: NodeId,
        /// The message.
        message: Box<Message>,
    },
}

impl Message {
    /// Whether it counts also from one who is no member, or to one.
    #[must_use]
    pub const fn is_for_outsiders(&self) -> bool {
        matches!(
            self,
            Self::Snapshot(_)
                | Self::Join(_)
                | Self::JoinRefused { .. }
                | Self::HaveYouTakenOver { .. }
                | Self::IHaveNotTakenOver { .. }
                | Self::AmI(_)
                | Self::Gone(_)
        )
    }
}

/// How far a node is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// The reporter's clock: an older report that comes later says nothing.
    pub at: Time,
    /// The epoch of its view.
    pub epoch: Epoch,
    /// The epoch that its kernel goes by: it lets in nobody who is not in that view.
    pub kernel: Epoch,
    /// The epoch up to which all its subsystems have taken everything in.
    pub done: Epoch,
    /// Subsystems that are still at work, by name.
    pub waiting: Vec<String>,
    /// Whom it finds dead.
    pub dead: Vec<NodeId>,
    /// Whose `ssid` it finds stalled, though the node lives.
    pub stalled: Vec<NodeId>,
}
