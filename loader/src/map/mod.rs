//! One typed handle for each map of the packet path.

mod counters;
mod hash;
mod held;
mod listeners;
mod own;
mod percpu;
mod raw;
mod records;
mod shared;

use ssi_abi::Addr;
use ssi_abi::conn::{Conn4, Conn6, ConnKey4, ConnKey6};
use ssi_abi::flow::Set;
use ssi_abi::fragment::{Fragment, FragmentKey};
use ssi_abi::link::Link;
use ssi_abi::member::{Member, PeerStats};
use ssi_abi::server::Server;
use ssi_abi::service::{Service, ServiceKey};
use ssi_abi::settings::Settings;
use ssi_abi::stats::Stats;

pub use counters::Counters;
pub use hash::Hash;
pub use held::Held;
pub use listeners::Listeners;
pub use own::OwnNode;
pub use percpu::PerCpu;
pub use records::Records;
pub use shared::{Entries, Loads};

pub(crate) use raw::Raw;
pub use raw::possible_cpus;

/// All maps of the packet path.
#[derive(Debug)]
pub struct Maps {
    /// The one record of settings, index 0.
    pub settings: Records<Settings>,
    /// Words of the address filter.
    pub addrs: Records<u32>,
    /// Which service a key belongs to.
    pub service_index: Hash<ServiceKey, u32>,
    /// Virtual services.
    pub services: Records<Service>,
    /// Whose turn it is.
    pub cursors: Records<u64>,
    /// Real servers.
    pub servers: Records<Server>,
    /// How many connections each server has.
    pub loads: Loads,
    /// The scheduling tables.
    pub table: Entries,
    /// Connections over IPv4.
    pub conns4: Hash<ConnKey4, Conn4>,
    /// Connections over IPv6.
    pub conns6: Hash<ConnKey6, Conn6>,
    /// Copies of what is known of connections over IPv4.
    pub flows4: Records<Set>,
    /// Datagrams whose fragments are being followed.
    pub fragments: Hash<FragmentKey, Fragment>,
    /// Whose tunnels we open; the value is the node's number.
    pub peers: Hash<Addr, u32>,
    /// Interfaces by their number, see [`ssi_abi::link::place`].
    pub links: Records<Link>,
    /// The other members of the cluster, by their address on the interconnect.
    pub members: Hash<Addr, Member>,
    /// This node.
    pub own: OwnNode,
    /// The sockets that listen for the lanes' workers.
    pub listeners: Listeners,
    /// Counts for each member and lane, by [`ssi_abi::member::peer_lane`].
    pub peer_stats: PerCpu<PeerStats>,
    /// Counts for each server.
    pub server_stats: PerCpu<Stats>,
    /// Counts for each service.
    pub service_stats: PerCpu<Stats>,
    /// Counts by reason.
    pub counters: Counters,
}
