//! What surrogates and sessions ask their daemon, and what daemons ask each other.

use std::fmt;
use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

use super::Caller;

/// What a connection says first: drawn for it alone, good once.
pub type Id = [u8; 32];

/// Where a command shall run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Whom {
    /// On the node of this number or name.
    Node(String),
    /// Where this process is, by its number in the cluster.
    Near(u32),
    /// On the least loaded node of this class.
    Class(String),
    /// On the least loaded node.
    Least,
}

/// A node in one of its lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Life {
    /// The node's number.
    pub node: u16,
    /// Which of its lives.
    pub incarnation: u32,
}

/// A node, as it is called.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// Its number and its life.
    pub life: Life,
    /// Its name.
    pub name: String,
}

/// Nodes that are UP.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Nodes {
    /// Those that are wanted.
    pub wanted: Vec<Place>,
    /// Those that did not say whether they are.
    pub silent: Vec<Place>,
}

/// A question to the daemon of one's own node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Ask {
    /// A command shall be run.
    Run {
        /// Where.
        whom: Whom,
        /// Whether it shall stay there.
        pinned: bool,
    },
    /// When a node's life ends.
    Watch(Life),
    /// Which nodes there are.
    Nodes(Option<Whom>),
}

/// The daemon's answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Answer {
    /// It is expected at this address. [`Gone`](Self::Gone) follows when that node's life
    /// ends.
    Granted(Box<Grant>),
    /// It can't be done, and why.
    Refused(String),
    /// The node's life has ended: the first view without it has this epoch.
    Gone {
        /// The epoch.
        epoch: u64,
    },
    /// These.
    Nodes(Nodes),
}

/// Where to connect, and how.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// The node.
    pub place: Place,
    /// Where it listens for this.
    pub address: SocketAddr,
    /// What to say there first; none: a connection comes along with this, and has said it.
    pub id: Option<Id>,
    /// What protects the connection, if anything does.
    pub secrets: Option<Secrets>,
}

/// How a connection is protected, as the asking daemon wants it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Protection {
    /// Not at all.
    None,
    /// By secrets that the answer has: nobody else can read it.
    Told,
    /// By secrets that come of this public key (X25519) and one in the answer: others may read
    /// both.
    Agreed(Vec<u8>),
}

/// A session that is expected.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seat {
    /// What its connection says first.
    pub id: Id,
    /// It has its connection already, the one that was said.
    pub has_connection: bool,
    /// What protects it, as it was asked for.
    pub protection: Given,
}

/// What an answer has of a connection's protection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Given {
    /// Nothing: it is not protected.
    Nothing,
    /// The secrets.
    Secrets(Secrets),
    /// The other public key.
    Key(Vec<u8>),
}

/// What one daemon asks another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// For whom.
    pub caller: Caller,
    /// A connection that waits for a command, by what it has said.
    pub spare: Option<Id>,
    /// How the connection is to be protected.
    pub protection: Protection,
    /// The asking node.
    pub from: Life,
    /// Whether the command shall stay.
    pub pinned: bool,
}

/// What both ends of a connection have, and nobody else: a secret for each direction.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Secrets {
    /// Of what the surrogate says.
    pub to_session: [u8; 32],
    /// Of what the session says.
    pub to_surrogate: [u8; 32],
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secrets(…)")
    }
}

/// What a daemon packs for the session that gets a connection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Packed {
    /// For whom.
    pub caller: Caller,
    /// From where.
    pub from: Life,
    /// What protects the connection, if anything does.
    pub secrets: Option<Secrets>,
    /// Where the daemon is asked whether the caller's node is still there.
    pub socket: Vec<u8>,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn damaged_messages_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = postcard::from_bytes::<Ask>(&bytes);
            let _ = postcard::from_bytes::<Answer>(&bytes);
            let _ = postcard::from_bytes::<Order>(&bytes);
            let _ = postcard::from_bytes::<Packed>(&bytes);
            let _ = postcard::from_bytes::<super::super::Spec>(&bytes);
        }
    }
}
