//! How many of each thing the maps hold by default. The loader can change the ones that
//! are marked *sizable* when it creates the maps.

use crate::member;

/// Virtual services: entries of `SERVICES`; index 0 means "none" and is never used.
pub const SERVICES: usize = 16_384;
/// Keys of `SERVICE_INDEX`: a service with a group of ports has one key for each port.
pub const SERVICE_KEYS: usize = 65_536;
/// Real servers of all services together; index 0 means "none" and is never used.
/// At most 65,536, because a table entry names a server with 16 bits.
pub const SERVERS: usize = 32_768;
/// Blocks of 16 entries in `TABLE` (sizable): 4 Mi entries, 16 MiB, 64 slot tables.
pub const TABLE_BLOCKS: usize = 262_144;
/// Connections that `CONNS4` remembers (sizable), about 100 bytes each.
pub const CONNS4: usize = 262_144;
/// Connections that `CONNS6` remembers (sizable), about 150 bytes each.
pub const CONNS6: usize = 65_536;
/// Datagrams whose fragments are being followed at one time.
pub const FRAGMENTS: usize = 8_192;
/// Other nodes whose tunnels we open.
pub const PEERS: usize = 1_024;
/// Bytes of the ring of fragments held for their first one: some 120, until their reader has
/// woken up. It counts twice in the reader's memory, which maps it so.
pub const HELD_BYTES: usize = 1 << 18;
/// Servers that a scheduler which compares all of them (lc, wlc) looks at per decision.
pub const SCAN: u32 = 256;
/// Interfaces whose addresses are known: a power of two.
pub const LINKS: usize = 64;
/// Members of the cluster besides this node, by address.
pub const MEMBERS: usize = 1_024;
/// Sockets that listen for the lanes' workers.
pub const WORKERS: usize = 8;
/// Ends of connections between the nodes that share a kernel: 32 nodes have 6,944.
pub const ENDS: usize = 8_192;
/// Entries of `PEER_STATS`.
pub const PEER_LANES: usize = ((member::LARGEST_NODE + 1) * member::LANES) as usize;
