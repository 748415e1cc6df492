//! What is kept alive in the cluster: agreed through the view log, asked of the nodes that
//! have it.

mod adopt;
mod agree;
mod apply;
mod balance;
mod entries;
mod herald;
mod leaving;
mod list;
mod logs;
mod lookup;
mod requests;
mod resting;
mod servers;
mod service;

use std::collections::BTreeMap;
use std::sync::atomic::AtomicU32;
use std::sync::{Arc, Mutex, Weak};

use anyhow::Result;
use ssi_clms::core::Epoch;
use ssi_clms::runner::Order;
use tokio::sync::mpsc;
use tokio::task::AbortHandle;

pub(super) use self::service::serve;
use super::Member;
use super::ask::Ask;
use super::registry::Registry;
use super::world::World;
use crate::keepalive::Keepalive;
use crate::processes::Processes;

/// What is kept alive, as far as this node has a part in it.
pub(super) struct Supervision {
    pub(super) desk: Keepalive,
    ask: Ask,
    world: Arc<World>,
    /// What came of entries, for those who wait for them.
    outcomes: Mutex<BTreeMap<Epoch, Result<(), String>>>,
    /// Attempts in vain, in a row, to have the state from another member.
    vain: AtomicU32,
}

impl Supervision {
    pub(super) fn new(desk: Keepalive, ask: Ask, world: Arc<World>) -> Self {
        Self {
            desk,
            ask,
            world,
            outcomes: Mutex::default(),
            vain: AtomicU32::new(0),
        }
    }
}

/// What goes on beside requests, until it is aborted.
pub(super) fn tasks(
    member: &Weak<Member>,
    supervision: &Arc<Supervision>,
    registry: &Arc<Registry>,
    processes: &Processes,
) -> Vec<AbortHandle> {
    let loads = entries::look_at_loads(member.clone(), processes.clone());
    let herald = herald::run(member.clone(), supervision.desk.clone());
    let balance = balance::run(supervision.clone(), registry.clone());
    vec![
        tokio::spawn(entries::propose(supervision.clone())).abort_handle(),
        tokio::spawn(loads).abort_handle(),
        tokio::spawn(herald).abort_handle(),
        tokio::spawn(balance).abort_handle(),
        tokio::spawn(leaving::come_back(member.clone())).abort_handle(),
    ]
}

/// Passes on what membership orders. That the lease is over is told to supervision at once,
/// whatever the subsystems are still at: its processes are no kernel's to stop.
pub(super) fn ahead(
    mut orders: mpsc::UnboundedReceiver<Order>,
    desk: Keepalive,
) -> mpsc::UnboundedReceiver<Order> {
    let (pass, passed) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Some(order) = orders.recv().await {
            match order {
                Order::Fence => desk.lease_over(),
                Order::Unfence => desk.lease_back(),
                _ => {}
            }
            if pass.send(order).is_err() {
                return;
            }
        }
    });
    passed
}
