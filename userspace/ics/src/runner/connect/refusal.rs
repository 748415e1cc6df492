//! Why connections come to nothing; how often is counted, and now and then said.

use std::collections::BTreeMap;
use std::io;
use std::net::IpAddr;
use std::time::Duration;

use crate::core::frame::Refused;
use crate::core::peer::Mismatch;
use crate::core::{Moment, Node};

/// Why a connection came to nothing, or was given up.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// Nobody in the view has that address.
    #[error("{0} is no address of the view's")]
    Stranger(IpAddr),
    /// So many from that address are saying hello that no more are listened to.
    #[error("too many connections from {0} at once")]
    Flood(IpAddr),
    /// The socket failed.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// The other end closed it.
    #[error("the other end closed it")]
    Closed,
    /// The node does not take the connection.
    #[error("it does not answer")]
    NoAnswer,
    /// Nothing came for too long.
    #[error("no hello in time")]
    Timeout,
    /// What came is no frame.
    #[error("{0}")]
    Frame(#[from] Refused),
    /// What came is no hello.
    #[error("the first frame is no hello")]
    NoHello,
    /// It says hello for another cluster.
    #[error("it belongs to another cluster")]
    Cluster,
    /// It says hello for another node than expected.
    #[error("it says that it is node {0}")]
    Impostor(Node),
    /// It means another node, or another life of this one.
    #[error("it means node {0}, incarnation {1}")]
    Misdirected(Node, u32),
    /// Its port says another lane than its hello, or its protection is another.
    #[error("its port, its lane or its protection is not what it should be")]
    Settings,
    /// It is not the one that the view has.
    #[error("{0}")]
    Mismatch(#[from] Mismatch),
    /// Its handshake failed.
    #[error("no TLS: {0}")]
    Tls(#[from] rustls::Error),
    /// What came after its handshake was nothing that its key has made.
    #[error("no TLS: {0}")]
    Records(#[from] ssi_records::Broken),
    /// Its key is not the one that the view has for the node.
    #[error("its key is not that of node {0}")]
    Key(Node),
    /// All ports of the lane are in use.
    #[error("no port is free for the lane")]
    NoPort,
}

impl Refusal {
    /// Under what it is counted.
    fn kind(&self) -> &'static str {
        match self {
            Self::Stranger(_) => "stranger",
            Self::Flood(_) => "flood",
            Self::Io(_) => "io",
            Self::Closed => "closed",
            Self::NoAnswer => "no_answer",
            Self::Timeout => "timeout",
            Self::Frame(_) => "frame",
            Self::NoHello => "no_hello",
            Self::Cluster => "cluster",
            Self::Impostor(_) => "impostor",
            Self::Misdirected(..) => "misdirected",
            Self::Settings => "settings",
            Self::Mismatch(_) => "mismatch",
            Self::Tls(_) | Self::Records(_) => "tls",
            Self::Key(_) => "key",
            Self::NoPort => "no_port",
        }
    }
}

/// At most one line per node in this time.
const QUIET: Duration = Duration::from_secs(10);

/// How often what was refused, by node; none: nobody known.
#[derive(Debug, Default)]
pub(in crate::runner) struct Refusals(BTreeMap<Option<Node>, Counts>);

#[derive(Debug, Default)]
struct Counts {
    by_kind: BTreeMap<&'static str, u64>,
    said: Option<Moment>,
    unsaid: u64,
}

impl Refusals {
    /// Counts one; how many were not said since the last, if this one is to be said.
    pub(in crate::runner) fn count(
        &mut self,
        node: Option<Node>,
        refusal: &Refusal,
        now: Moment,
    ) -> Option<u64> {
        let counts = self.0.entry(node).or_default();
        *counts.by_kind.entry(refusal.kind()).or_default() += 1;
        if counts.said.is_some_and(|said| now < said + QUIET) {
            counts.unsaid += 1;
            return None;
        }
        counts.said = Some(now);
        Some(std::mem::take(&mut counts.unsaid))
    }

    pub(in crate::runner) fn of(&self, node: Option<Node>) -> BTreeMap<String, u64> {
        let Some(counts) = self.0.get(&node) else {
            return BTreeMap::new();
        };
        let named = counts.by_kind.iter();
        named
            .map(|(kind, count)| ((*kind).to_owned(), *count))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_is_said_once() {
        let mut refusals = Refusals::default();
        let mut at = |seconds| {
            let now = Duration::from_secs(seconds);
            refusals.count(Some(3), &Refusal::Timeout, now)
        };
        assert_eq!(at(1), Some(0));
        assert_eq!(at(2), None);
        assert_eq!(at(10), None);
        assert_eq!(at(11), Some(2));
        assert_eq!(refusals.of(Some(3))["timeout"], 4);
        assert!(refusals.of(None).is_empty());
    }
}
