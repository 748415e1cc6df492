//! What surrogates and sessions ask their daemon, and what daemons ask each other.

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

/// A question to the daemon of one's own node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Ask {
    /// A command shall be run.
    Run {
        /// Where.
        whom: Whom,
        /// The public key of whoever will connect.
        key: Vec<u8>,
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
    /// Those that are UP.
    Nodes(Vec<Place>),
}

/// Where to connect, and how.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// The node.
    pub place: Place,
    /// Where it listens for this.
    pub address: SocketAddr,
    /// What to say there.
    pub seat: Seat,
}

/// A session that is expected.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seat {
    /// What its connection says first.
    pub id: Id,
    /// The public key of the other end; none: what goes over the connection is not protected.
    pub key: Option<Vec<u8>>,
}

/// What one daemon asks another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// For whom.
    pub caller: Caller,
    /// The public key of whoever will connect; none: it is not protected.
    pub key: Option<Vec<u8>>,
    /// The asking node.
    pub from: Life,
    /// Whether the command shall stay.
    pub pinned: bool,
}

/// What a daemon packs for the session that gets a connection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Packed {
    /// For whom, and from where.
    pub order: Order,
    /// The private key of this end (PKCS #8), if it is protected.
    pub own: Option<Vec<u8>>,
    /// Where the daemon is asked whether the caller's node is still there.
    pub socket: Vec<u8>,
    /// The number of this node.
    pub here: u16,
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
