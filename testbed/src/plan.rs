//! Names and addresses: what a cluster looks like before anything is made.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use anyhow::{Context as _, Result, bail};
use serde::{Deserialize, Serialize};

/// Most nodes of a cluster.
pub const MOST: u8 = 15;
/// Interface to the other nodes.
pub const INTERCONNECT: &str = "ic0";
/// Interface to the outside.
pub const EXTERNAL: &str = "eth0";
/// The namespace of the bridges.
pub const SWITCH: &str = "ssi-switch";
/// The cluster's name.
pub const CLUSTER: &str = "testbed";

/// A network of the testbed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Net {
    /// Between the nodes.
    Interconnect,
    /// To the outside.
    External,
}

impl Net {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Interconnect, Self::External];

    /// The bridge's name in the switch namespace.
    #[must_use]
    pub const fn bridge(self) -> &'static str {
        match self {
            Self::Interconnect => "br-ic",
            Self::External => "br-ext",
        }
    }

    /// The interface's name inside a machine.
    #[must_use]
    pub const fn interface(self) -> &'static str {
        match self {
            Self::Interconnect => INTERCONNECT,
            Self::External => EXTERNAL,
        }
    }

    /// The bridge port's name of a machine.
    #[must_use]
    pub fn port(self, machine: Machine) -> String {
        match self {
            Self::Interconnect => format!("ic{}", machine.host()),
            Self::External => format!("ext{}", machine.host()),
        }
    }

    const fn byte(self) -> u8 {
        match self {
            Self::Interconnect => 77,
            Self::External => 88,
        }
    }
}

/// A machine of the testbed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Machine {
    /// A node, 1 to [`MOST`].
    Node(u8),
    /// The client, which is no part of the cluster.
    Client,
}

impl Machine {
    /// The last part of its addresses.
    #[must_use]
    pub const fn host(self) -> u8 {
        match self {
            Self::Node(number) => number,
            Self::Client => 200,
        }
    }

    /// What people call it on the command line.
    #[must_use]
    pub fn word(self) -> String {
        match self {
            Self::Node(number) => number.to_string(),
            Self::Client => self.name(),
        }
    }

    /// Its host name.
    #[must_use]
    pub fn name(self) -> String {
        match self {
            Self::Node(number) => format!("node{number}"),
            Self::Client => "client".to_owned(),
        }
    }

    /// The name of its network namespace, for `ip netns exec`.
    #[must_use]
    pub fn netns(self) -> String {
        format!("ssi-{}", self.name())
    }

    /// The networks it is on.
    #[must_use]
    pub const fn nets(self) -> &'static [Net] {
        match self {
            Self::Node(_) => &Net::ALL,
            Self::Client => &[Net::External],
        }
    }

    /// Its IPv4 and IPv6 addresses on a network.
    #[must_use]
    pub const fn addresses(self, net: Net) -> [IpAddr; 2] {
        addresses(net, self.host())
    }

    /// Its MAC address on a network.
    #[must_use]
    pub fn mac(self, net: Net) -> String {
        format!("02:00:00:{:02x}:00:{:02x}", net.byte(), self.host())
    }
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Node(number) => write!(f, "node {number}"),
            Self::Client => f.write_str("client"),
        }
    }
}

impl FromStr for Machine {
    type Err = anyhow::Error;

    fn from_str(word: &str) -> Result<Self> {
        if word == "client" {
            return Ok(Self::Client);
        }
        let digits = word.strip_prefix("node").unwrap_or(word);
        let number = digits
            .parse()
            .with_context(|| format!("\"{word}\" is no node: say 1 to {MOST}, or client"))?;
        node(number)
    }
}

/// The node of a number.
///
/// # Errors
/// There can be no such node.
pub fn node(number: u8) -> Result<Machine> {
    if !(1..=MOST).contains(&number) {
        bail!("{number} is no node number: they go from 1 to {MOST}");
    }
    Ok(Machine::Node(number))
}

const fn addresses(net: Net, host: u8) -> [IpAddr; 2] {
    let byte = net.byte();
    // 0x77 and 0x88: written like the decimal 77 and 88 of IPv4.
    let hex = match net {
        Net::Interconnect => 0xfd77,
        Net::External => 0xfd88,
    };
    // Host 200 is ::200, not ::c8: again as people read it.
    let tail = (host / 100) as u16 * 0x100 + (host / 10 % 10) as u16 * 0x10 + (host % 10) as u16;
    [
        IpAddr::V4(Ipv4Addr::new(10, byte, 0, host)),
        IpAddr::V6(Ipv6Addr::new(hex, 0, 0, 0, 0, 0, 0, tail)),
    ]
}

/// The cluster's own addresses, of each family.
#[must_use]
pub const fn cvips() -> [IpAddr; 2] {
    addresses(Net::External, 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_read_alike_in_both_families() {
        assert_eq!(
            Machine::Node(12)
                .addresses(Net::Interconnect)
                .map(|a| a.to_string()),
            ["10.77.0.12", "fd77::12"]
        );
        assert_eq!(cvips().map(|a| a.to_string()), ["10.88.0.100", "fd88::100"]);
        assert_eq!(
            Machine::Client
                .addresses(Net::External)
                .map(|a| a.to_string()),
            ["10.88.0.200", "fd88::200"]
        );
    }

    #[test]
    fn machines_are_named_by_number_or_name() {
        assert_eq!("3".parse::<Machine>().unwrap(), Machine::Node(3));
        assert_eq!("node3".parse::<Machine>().unwrap(), Machine::Node(3));
        assert_eq!("client".parse::<Machine>().unwrap(), Machine::Client);
        for wrong in ["0", "16", "-1", "x", ""] {
            assert!(wrong.parse::<Machine>().is_err(), "{wrong}");
        }
    }
}
