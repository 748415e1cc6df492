//! Every map of the packet path.

use aya_ebpf::bindings::{BPF_F_MMAPABLE, BPF_F_NO_COMMON_LRU};
use aya_ebpf::btf_maps::{Array, HashMap, LruHashMap, PerCpuArray, ReusePortSockArray, RingBuf};
use aya_ebpf::macros::btf_map;
use ssi_abi::conn::{Conn4, Conn6, ConnKey4, ConnKey6};
use ssi_abi::flow::Set;
use ssi_abi::fragment::{Fragment, FragmentKey, HeldFragment};
use ssi_abi::link::Link;
use ssi_abi::member::LANES;
use ssi_abi::server::{Load, Server};
use ssi_abi::service::{Service, ServiceKey};
use ssi_abi::settings::Settings;
use ssi_abi::stats::Stats;
use ssi_abi::table::Block;
use ssi_abi::{Addr, filter, limits};

pub use crate::member::{MEMBERS, OWN};

const MMAPABLE: usize = BPF_F_MMAPABLE as usize;
const PER_CPU_LRU: usize = BPF_F_NO_COMMON_LRU as usize;

pub type Conns4 = LruHashMap<ConnKey4, Conn4, { limits::CONNS4 }, PER_CPU_LRU>;
pub type Conns6 = LruHashMap<ConnKey6, Conn6, { limits::CONNS6 }, PER_CPU_LRU>;

#[btf_map]
pub static SETTINGS: Array<Settings, 1> = Array::new();
#[btf_map]
pub static ADDRS: Array<u32, { filter::WORDS }> = Array::new();
#[btf_map]
pub static SERVICE_INDEX: HashMap<ServiceKey, u32, { limits::SERVICE_KEYS }> = HashMap::new();
#[btf_map]
pub static SERVICES: Array<Service, { limits::SERVICES }> = Array::new();
#[btf_map]
pub static CURSORS: Array<u64, { limits::SERVICES }> = Array::new();
#[btf_map]
pub static SERVERS: Array<Server, { limits::SERVERS }> = Array::new();
#[btf_map]
pub static LOADS: Array<Load, { limits::SERVERS }, MMAPABLE> = Array::new();
#[btf_map]
pub static TABLE: Array<Block, { limits::TABLE_BLOCKS }, MMAPABLE> = Array::new();
// A table that all CPUs see, because a flow's packets may come on any of them, with free
// lists and eviction per CPU, so that they don't fight over one lock.
#[btf_map]
pub static CONNS4: Conns4 = LruHashMap::new();
#[btf_map]
pub static CONNS6: Conns6 = LruHashMap::new();
// Mmapable, so that sets begin at a cache line. The loader gives it its size.
#[btf_map]
pub static FLOWS4: Array<Set, 1, MMAPABLE> = Array::new();
#[btf_map]
pub static FRAGMENTS: LruHashMap<FragmentKey, Fragment, { limits::FRAGMENTS }> = LruHashMap::new();
#[btf_map]
pub static PEERS: HashMap<Addr, u32, { limits::PEERS }> = HashMap::new();
#[btf_map]
pub static LINKS: Array<Link, { limits::LINKS }> = Array::new();
// Which worker serves a lane, and the socket that listens for it.
#[btf_map]
pub static LANE_WORKERS: Array<u32, { LANES as usize }> = Array::new();
#[btf_map]
pub static LISTENERS: ReusePortSockArray<{ limits::WORKERS }> = ReusePortSockArray::new();
#[btf_map]
pub static SERVER_STATS: PerCpuArray<Stats, { limits::SERVERS }> = PerCpuArray::new();
#[btf_map]
pub static SERVICE_STATS: PerCpuArray<Stats, { limits::SERVICES }> = PerCpuArray::new();
#[btf_map]
pub static HELD: RingBuf<HeldFragment, { limits::HELD_BYTES }> = RingBuf::new();
