//! What each scheduler writes into a service's table.

pub mod hashed;
pub mod maglev;
pub mod slot;
pub mod turn;

use ssi_abi::service::scheduler;
use ssi_abi::table;
use ssi_api::lvs::{Scheduler, ServerName};

/// A server that takes part in scheduling.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Member {
    /// Index in `SERVERS`, not 0.
    pub index: u16,
    /// 0..=65535; 0 takes no connections.
    pub weight: u32,
    /// What it is known by, on every node alike.
    pub name: ServerName,
}

/// How the programs are to read a table.
#[must_use]
pub const fn way(scheduler: Scheduler) -> u8 {
    match scheduler {
        Scheduler::Rr | Scheduler::Wrr => scheduler::TURN,
        Scheduler::Sh | Scheduler::Mh => scheduler::HASH,
        Scheduler::Slot => scheduler::SLOT,
        Scheduler::Lc => scheduler::LEAST,
        Scheduler::Wlc => scheduler::WEIGHTED_LEAST,
    }
}

/// The number of a scheduler in a service's record, to tell apart those that share a way.
#[must_use]
pub fn variant(scheduler: Scheduler) -> u8 {
    let at = Scheduler::ALL.iter().position(|known| *known == scheduler);
    at.and_then(|at| u8::try_from(at).ok())
        .expect("all are in ALL")
}

/// The scheduler of a service's record.
#[must_use]
pub fn of_variant(variant: u8) -> Option<Scheduler> {
    Scheduler::ALL.get(usize::from(variant)).copied()
}

/// The entries of a table, for every scheduler but slot, whose table has a history.
/// Empty if no server takes connections.
#[must_use]
pub fn plan(scheduler: Scheduler, members: &[Member], seed: u64) -> Vec<u32> {
    let taking: Vec<Member> = members.iter().copied().filter(|m| m.weight > 0).collect();
    if taking.is_empty() {
        return Vec::new();
    }
    let order = match scheduler {
        Scheduler::Rr | Scheduler::Lc | Scheduler::Wlc => taking.iter().map(|m| m.index).collect(),
        Scheduler::Wrr => turn::weighted(&taking),
        Scheduler::Sh => hashed::buckets(&taking),
        Scheduler::Mh => maglev::table(&taking, seed),
        Scheduler::Slot => unreachable!("a slot table is edited, not planned"),
    };
    order
        .into_iter()
        .map(|index| table::entry(index, 0))
        .collect()
}
