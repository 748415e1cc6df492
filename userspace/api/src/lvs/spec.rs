use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::{Method, Protocol, Scheduler};

/// How a virtual service shall behave.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceSpec {
    /// The scheduler.
    #[serde(default)]
    pub scheduler: Scheduler,
    /// Persistence (`-p`): seconds that a client stays with its server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub persistent: Option<u32>,
    /// Persistence granularity (`-M`): how many leading bits of the client's address
    /// count. None: all of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prefix: Option<u8>,
    /// One-packet scheduling (`-o`), UDP only.
    #[serde(default)]
    pub one_packet: bool,
    /// Scheduler flags (`-b`).
    #[serde(default)]
    pub flags: ServiceFlags,
    /// Services named by a mark: the addresses and ports that carry it. Empty otherwise.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub members: Vec<PortRange>,
    /// Supervision made it for a process that is kept alive, and deletes it with the last
    /// one. What an operator edits is the operator's.
    #[serde(default, skip_serializing_if = "is_not")]
    pub supervised: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
const fn is_not(supervised: &bool) -> bool {
    !*supervised
}

/// Scheduler flags.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceFlags {
    /// `sh-port`, `mh-port`: the client's port takes part in the hash.
    #[serde(default)]
    pub port: bool,
    /// `sh-fallback`, `mh-fallback`: if the hashed server takes no connections, try others.
    #[serde(default)]
    pub fallback: bool,
    /// `slot-track`: remember every connection although the slot table alone would do.
    #[serde(default)]
    pub track: bool,
}

/// Ports of one virtual address that belong to a mark.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PortRange {
    /// TCP or UDP.
    pub protocol: Protocol,
    /// The virtual address.
    pub addr: IpAddr,
    /// First port; 0 with `last` 0 is every port.
    pub first: u16,
    /// Last port, not below `first`.
    pub last: u16,
}

/// How a real server shall be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServerSpec {
    /// Forwarding method.
    #[serde(default)]
    pub method: Method,
    /// 0..=65535; 0 drains: no new connection, the old ones go on.
    pub weight: u32,
    /// `-x`: no new connections while it has more than this many; 0 is no limit.
    #[serde(default)]
    pub upper: u32,
    /// `-y`: takes new connections again below this many; 0 means ¾ of `upper`.
    #[serde(default)]
    pub lower: u32,
    /// Supervision put it in for a process that is kept alive, and takes it out.
    #[serde(default, skip_serializing_if = "is_not")]
    pub supervised: bool,
}

impl Default for ServerSpec {
    fn default() -> Self {
        Self {
            method: Method::Route,
            weight: 1,
            upper: 0,
            lower: 0,
            supervised: false,
        }
    }
}

/// Connection timeouts in seconds (`--set`); 0 leaves one as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Timeouts {
    /// Established TCP.
    pub tcp: u32,
    /// TCP after FIN.
    pub tcp_fin: u32,
    /// UDP.
    pub udp: u32,
}
