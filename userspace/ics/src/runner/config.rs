//! What the runner has to be told.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use super::bypass::Bypass;
use super::tls::{BadIdentity, Identity};
use crate::core::frame::SharedKey;
use crate::core::peer::Limits;
use crate::core::{Epoch, Node};

/// Where this node listens unless it is told otherwise.
pub const PORT: u16 = 7117;

/// SHA-256 of a node's certificate (DER).
pub type Fingerprint = [u8; 32];

/// How connections are protected.
#[derive(Clone, Debug)]
pub enum Security {
    /// By TLS 1.3, mutual: nobody else can speak or listen.
    Tls(Identity),
    /// By tags: whoever lacks the key can't speak, but anybody on the way can listen.
    Mac {
        /// The key of all nodes.
        key: SharedKey,
    },
    /// Not at all: for measurements and for networks that nobody else is on.
    None,
}

/// What stays as long as the runner runs.
#[derive(Clone, Debug)]
pub struct Config {
    /// This node's number.
    pub node: Node,
    /// Which cluster it belongs to; members of others are refused.
    pub cluster: [u8; 16],
    /// Where it listens, and which address it dials from.
    pub address: SocketAddr,
    /// How its connections are protected; all nodes have to agree.
    pub security: Security,
    /// How much of everything there may be.
    pub limits: Limits,
    /// How long written bytes may stay without a word from the other kernel before the
    /// connection is given up (`TCP_USER_TIMEOUT`, Linux 2.6.37).
    pub silence: Duration,
    /// The way around the network stack to nodes that share this kernel; none: there is
    /// none.
    pub bypass: Option<Arc<dyn Bypass>>,
}

impl Config {
    /// A configuration with the usual limits and timeouts.
    #[must_use]
    pub fn new(node: Node, cluster: [u8; 16], address: SocketAddr, security: Security) -> Self {
        Self {
            node,
            cluster,
            address,
            security,
            limits: Limits::default(),
            silence: Duration::from_secs(5),
            bypass: None,
        }
    }
}

/// What the view says of one other node that is up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PeerInfo {
    /// Where it listens.
    pub address: SocketAddr,
    /// Which life of it is up.
    pub incarnation: u32,
    /// Its key; only looked at with TLS.
    pub fingerprint: Fingerprint,
}

/// What the runner takes from the view.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct View {
    /// Its epoch.
    pub epoch: Epoch,
    /// Which life of this node it has.
    pub incarnation: u32,
    /// The other nodes that are up.
    pub peers: BTreeMap<Node, PeerInfo>,
}

/// Why the runner did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Its key is of no use.
    #[error(transparent)]
    Identity(#[from] BadIdentity),
    /// It can't have a thread.
    #[error("cannot start a thread for bulk data: {0}")]
    Thread(#[source] std::io::Error),
    /// It can't listen.
    #[error(
        "cannot listen for other nodes on {address}: {source}; is another ssid running, or the address not this machine's?"
    )]
    Listen {
        /// Where.
        address: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
}
