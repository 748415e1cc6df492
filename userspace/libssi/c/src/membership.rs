//! Who belongs to the cluster, for C.

use std::ffi::{c_char, c_int};
use std::slice;
use std::time::{Duration, SystemTime};

use libssi::{Cluster, Membership, Node, NodeState, Transition};

use crate::fail::{Fail, Result, returned};
use crate::text::put;

/// `clusternode_info_t`.
#[repr(C)]
pub(crate) struct NodeInfo {
    epoch: u64,
    since: i64,
    memory: u64,
    incarnation: u32,
    cpus: u32,
    number: u16,
    state: u16,
    name: [c_char; 68],
    address: [c_char; 48],
}

/// `cluster_info_t`.
#[repr(C)]
pub(crate) struct ClusterInfo {
    epoch: u64,
    node: u16,
    master: u16,
    max_nodes: u16,
    fenced: u16,
}

/// `cluster_transition_t`.
#[repr(C)]
pub(crate) struct TransitionInfo {
    epoch: u64,
    at: i64,
    incarnation: u32,
    node: u16,
    from: u16,
    to: u16,
    zero: [u16; 3],
}

const _: () = {
    assert!(size_of::<NodeInfo>() == 152);
    assert!(size_of::<ClusterInfo>() == 16);
    assert!(size_of::<TransitionInfo>() == 32);
};

/// See `ssi.h`.
#[unsafe(no_mangle)]
pub(crate) extern "C" fn clusternode_num() -> c_int {
    returned(view().map(|view| c_int::from(view.node)))
}

/// See `ssi.h`.
#[unsafe(no_mangle)]
pub(crate) extern "C" fn clusternode_avail(node: c_int) -> c_int {
    let up = |view: Membership| {
        let found = u16::try_from(node).ok().and_then(|node| view.get(node));
        found.is_some_and(|node| node.state == NodeState::Up)
    };
    returned(view().map(|view| c_int::from(up(view))))
}

/// See `ssi.h`.
///
/// # Safety
/// `info` is NULL or has room.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn clusternode_info(node: c_int, info: *mut NodeInfo) -> c_int {
    returned(view().and_then(|view| {
        let found = u16::try_from(node).ok().and_then(|node| view.get(node));
        let none = || Fail::new(libc::EHOSTUNREACH, format!("there is no node {node}"));
        let found = found.ok_or_else(none)?;
        // SAFETY: NULL or room for one, the caller says.
        let info = unsafe { info.as_mut() };
        *info.ok_or_else(|| Fail::new(libc::EINVAL, "info is NULL"))? = found.into();
        Ok(0)
    }))
}

/// See `ssi.h`.
///
/// # Safety
/// `name` has room for `size` bytes, or `size` is 0.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn cluster_name(name: *mut c_char, size: usize) -> isize {
    returned(view().map(|view| {
        // SAFETY: there is this much room, the caller says.
        put(&view.name, unsafe { room(name, size) });
        view.name.len().cast_signed()
    }))
}

/// See `ssi.h`.
#[unsafe(no_mangle)]
pub(crate) extern "C" fn cluster_maxnodes() -> c_int {
    returned(view().map(|view| c_int::from(view.max_nodes)))
}

/// See `ssi.h`.
///
/// # Safety
/// `info` is NULL or has room; `nodes` has room for as many as are said, or that is 0.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn cluster_membership(
    info: *mut ClusterInfo,
    nodes: *mut NodeInfo,
    count: usize,
) -> isize {
    returned(view().map(|view| {
        // SAFETY: NULL or room for one, the caller says.
        if let Some(info) = unsafe { info.as_mut() } {
            *info = (&view).into();
        }
        // SAFETY: there is this much room, the caller says.
        let to = unsafe { room(nodes, count) };
        for (to, node) in to.iter_mut().zip(&view.nodes) {
            *to = node.into();
        }
        view.nodes.len().cast_signed()
    }))
}

/// See `ssi.h`.
///
/// # Safety
/// `transitions` has room for as many as are said, or that is 0.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn cluster_history(
    transitions: *mut TransitionInfo,
    count: usize,
) -> isize {
    let history = Cluster::local().transitions().map_err(Fail::from);
    returned(history.map(|history| {
        // SAFETY: there is this much room, the caller says.
        let to = unsafe { room(transitions, count) };
        let last = &history[history.len().saturating_sub(count)..];
        for (to, transition) in to.iter_mut().zip(last) {
            *to = transition.into();
        }
        last.len().cast_signed()
    }))
}

/// See `ssi.h`.
///
/// # Safety
/// `info` is NULL or has room.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn cluster_transition(
    known: u64,
    milliseconds: c_int,
    info: *mut ClusterInfo,
) -> c_int {
    // A hundred years are for ever.
    let patience = u64::try_from(milliseconds).unwrap_or(100 * 365 * 86_400_000);
    let changed = Cluster::local().changed(known, Duration::from_millis(patience));
    returned(changed.map_err(Fail::from).map(|changed| {
        let Some(view) = changed else { return 0 };
        // SAFETY: NULL or room for one, the caller says.
        if let Some(info) = unsafe { info.as_mut() } {
            *info = (&view).into();
        }
        1
    }))
}

/// # Safety
/// There is room for `count`, or `count` is 0.
unsafe fn room<'a, T>(to: *mut T, count: usize) -> &'a mut [T] {
    if to.is_null() || count == 0 {
        return &mut [];
    }
    // SAFETY: there is, and nobody else writes there during a call.
    unsafe { slice::from_raw_parts_mut(to, count) }
}

fn view() -> Result<Membership> {
    Ok(Cluster::local().membership()?)
}

fn seconds(at: SystemTime) -> i64 {
    let since = at.duration_since(SystemTime::UNIX_EPOCH);
    since.map_or(0, |since| {
        i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
    })
}

fn number(state: NodeState) -> u16 {
    let place = NodeState::ALL.iter().position(|known| *known == state);
    place
        .and_then(|place| u16::try_from(place).ok())
        .unwrap_or(0)
}

impl From<&Node> for NodeInfo {
    fn from(node: &Node) -> Self {
        let mut info = Self {
            epoch: node.epoch,
            since: node.since.map_or(0, seconds),
            memory: node.memory,
            incarnation: node.incarnation,
            cpus: node.cpus,
            number: node.number,
            state: number(node.state),
            name: [0; 68],
            address: [0; 48],
        };
        put(&node.name, &mut info.name);
        let address = node.addresses.first().map(ToString::to_string);
        put(&address.unwrap_or_default(), &mut info.address);
        info
    }
}

impl From<&Membership> for ClusterInfo {
    fn from(view: &Membership) -> Self {
        Self {
            epoch: view.epoch,
            node: view.node,
            master: view.master.unwrap_or(0),
            max_nodes: view.max_nodes,
            fenced: u16::from(view.fenced),
        }
    }
}

impl From<&Transition> for TransitionInfo {
    fn from(transition: &Transition) -> Self {
        Self {
            epoch: transition.epoch,
            at: seconds(transition.at),
            incarnation: transition.incarnation,
            node: transition.node,
            from: number(transition.from),
            to: number(transition.to),
            zero: [0; 3],
        }
    }
}
