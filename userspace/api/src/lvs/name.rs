use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Transport protocol of a virtual service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Protocol {
    /// Protocol 6.
    Tcp,
    /// Protocol 17.
    Udp,
}

impl Protocol {
    /// The number in the IP header.
    #[must_use]
    pub const fn number(self) -> u8 {
        match self {
            Self::Tcp => 6,
            Self::Udp => 17,
        }
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Tcp => "TCP",
            Self::Udp => "UDP",
        })
    }
}

/// What a virtual service is known by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ServiceName {
    /// Protocol, virtual address and port; port 0 is every port.
    Address {
        /// TCP or UDP.
        protocol: Protocol,
        /// The virtual address.
        addr: IpAddr,
        /// The virtual port, 0 for every port.
        port: u16,
    },
    /// A mark that stands for a group of addresses and ports (`ipvsadm -f`).
    Mark {
        /// The mark, not 0.
        mark: u32,
        /// `-6`: the group's servers are IPv6.
        v6: bool,
    },
}

impl fmt::Display for ServiceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address {
                protocol,
                addr,
                port,
            } => write!(f, "{protocol} {}", SocketAddr::new(*addr, *port)),
            Self::Mark { mark, v6: false } => write!(f, "FWM {mark}"),
            Self::Mark { mark, v6: true } => write!(f, "FWM {mark} IPv6"),
        }
    }
}

/// What a real server is known by within its service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ServerName {
    /// The server's own address.
    pub addr: IpAddr,
    /// The server's port; the service's own for direct routing and tunnels, 0 with a
    /// service of every port.
    pub port: u16,
}

impl fmt::Display for ServerName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        SocketAddr::new(self.addr, self.port).fmt(f)
    }
}

/// A scheduler, method or protocol that we don't know.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("unknown {kind} \"{name}\"; known: {known}")]
pub struct UnknownName {
    /// What was expected.
    pub kind: &'static str,
    /// What was said.
    pub name: String,
    /// What could have been said.
    pub known: &'static str,
}

/// How a virtual service picks the server of a new connection.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum Scheduler {
    /// In turn.
    Rr,
    /// In turn, by weight, interleaved as IPVS does.
    Wrr,
    /// Fewest connections.
    Lc,
    /// Fewest connections for its weight; ipvsadm's default.
    #[default]
    Wlc,
    /// By hash of the client's address.
    Sh,
    /// By hash of the client's address, Maglev's consistent table.
    Mh,
    /// By hash of the flow, the agreed slot table: exact weights, no needless move, the
    /// same on every director.
    Slot,
}

impl Scheduler {
    /// Every scheduler.
    pub const ALL: [Self; 7] = [
        Self::Rr,
        Self::Wrr,
        Self::Lc,
        Self::Wlc,
        Self::Sh,
        Self::Mh,
        Self::Slot,
    ];

    /// The name as ipvsadm writes it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Rr => "rr",
            Self::Wrr => "wrr",
            Self::Lc => "lc",
            Self::Wlc => "wlc",
            Self::Sh => "sh",
            Self::Mh => "mh",
            Self::Slot => "slot",
        }
    }
}

impl fmt::Display for Scheduler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Scheduler {
    type Err = UnknownName;

    fn from_str(name: &str) -> Result<Self, UnknownName> {
        Self::ALL
            .into_iter()
            .find(|scheduler| scheduler.name() == name)
            .ok_or_else(|| UnknownName {
                kind: "scheduler",
                name: name.to_owned(),
                known: "rr, wrr, lc, wlc, sh, mh, slot",
            })
    }
}

/// Forwarding method: how packets reach a real server.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum Method {
    /// Direct routing (`-g`): only the MAC addresses change. ipvsadm's default.
    #[default]
    Route,
    /// IPIP, IP6IP6 or IP-in-IP6 (`-i`).
    Tunnel,
    /// NAT (`-m`): replies come back through the director.
    Masq,
}

impl Method {
    /// The name as `ipvsadm -L` writes it; a server that is this node is shown as `Local`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Route => "Route",
            Self::Tunnel => "Tunnel",
            Self::Masq => "Masq",
        }
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
