//! The connection tables, looked through: what is to be forgotten, and how many
//! connections each server really has.
//!
//! The programs count connections up and down as they see them change; they don't see
//! them expire or be evicted. So every sweep counts what is there and sets userspace's
//! half of each server's load to the difference.

use std::collections::{HashMap, HashSet};

use ssi_abi::Addr;
use ssi_abi::conn::{flag, state};
use ssi_abi::server::{Load, server_generation, server_index};
use ssi_abi::settings::Settings;

use super::Write;
use super::model::Model;

/// What to do with an entry of a connection table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It stays.
    Keep,
    /// It is over: its time is up, or its server is gone.
    Forget,
}

/// An entry of a connection table, of either family.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// As [`ssi_abi::server::server_ref`].
    pub server: u32,
    /// Jiffies when its last packet came.
    pub seen: u32,
    /// One of [`ssi_abi::conn::state`].
    pub state: u8,
    /// Bits of [`ssi_abi::conn::flag`].
    pub flags: u8,
    /// Where its client sends; of a reverse entry, its server.
    pub destination: Addr,
}

/// For how long a former director keeps what no packet asks for, seconds: clients, and the
/// switches between, learn in less where packets go by now. In its next term it would go by
/// it, though another director has given the connection's port to another server since.
const FORMER: u32 = 5;

/// One look through the connection tables.
#[derive(Debug)]
pub struct Sweep<'a> {
    model: &'a Model,
    settings: Settings,
    /// Virtual addresses that another node directs.
    elsewhere: HashSet<Addr>,
    /// [`FORMER`] in jiffies.
    former: u32,
    now: u32,
    counts: HashMap<u16, (i32, i32)>,
}

/// Userspace's half of a server's load.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Base {
    /// Index in `LOADS`.
    pub server: u16,
    /// For [`Load::active_base`].
    pub active: i32,
    /// For [`Load::inactive_base`].
    pub inactive: i32,
}

impl Model {
    /// Starts a look through the connection tables; `now` in jiffies, low 32 bits.
    #[must_use]
    pub fn sweep(&self, now: u32) -> Sweep<'_> {
        let settings = self.settings();
        let elsewhere = &self.environment().elsewhere;
        Sweep {
            model: self,
            elsewhere: elsewhere.iter().map(|addr| Addr::from(*addr)).collect(),
            former: FORMER * settings.hz.max(1),
            settings,
            now,
            counts: HashMap::new(),
        }
    }

    /// Ends a look: what to set each load's base to. `load` reads the programs' half.
    #[must_use]
    pub fn bases(
        &self,
        counts: &HashMap<u16, (i32, i32)>,
        mut load: impl FnMut(u16) -> Load,
    ) -> Vec<Base> {
        self.servers()
            .map(|(_, server)| {
                let (active, inactive) = counts.get(&server).copied().unwrap_or_default();
                let load = load(server);
                Base {
                    server,
                    active: active.wrapping_sub(load.active),
                    inactive: inactive.wrapping_sub(load.inactive),
                }
            })
            .collect()
    }

    /// Tells how many connections each server has; returns what that changes: a server
    /// over its upper threshold takes no more until it is below the lower one, or ¾ of
    /// the upper (`ip_vs_dest_conn_overload` in the kernel's IPVS).
    pub fn set_connections(&mut self, counts: &HashMap<u16, (i32, i32)>) -> Vec<Write> {
        let mut changed = false;
        for service in self.services.values_mut() {
            for server in &mut service.servers {
                let (active, inactive) = counts.get(&server.index).copied().unwrap_or_default();
                let has = u64::from((active + inactive).max(0).cast_unsigned());
                let (upper, lower) = (u64::from(server.spec.upper), u64::from(server.spec.lower));
                let overloaded = if upper == 0 {
                    false
                } else if has >= upper {
                    true
                } else if lower > 0 {
                    server.overloaded && has >= lower
                } else {
                    server.overloaded && has * 4 >= upper * 3
                };
                changed |= overloaded != server.overloaded;
                server.overloaded = overloaded;
            }
        }
        if changed { self.refresh() } else { Vec::new() }
    }

    /// Every server: index of its service, and its own.
    pub fn servers(&self) -> impl Iterator<Item = (u32, u16)> {
        self.services.values().flat_map(|service| {
            service
                .servers
                .iter()
                .map(|server| (service.index, server.index))
        })
    }
}

impl Sweep<'_> {
    /// Looks at one entry.
    pub fn see(&mut self, entry: Entry) -> Fate {
        let index = server_index(entry.server) as u16;
        let Some(record) = self.model.installed.servers.get(usize::from(index)) else {
            return Fate::Forget;
        };
        if record.service == 0 || record.generation != server_generation(entry.server) {
            return Fate::Forget;
        }
        let template = entry.flags & flag::TEMPLATE != 0;
        let allowed = if template {
            self.model.installed.services[record.service as usize].persist
        } else {
            self.settings
                .timeouts
                .get(usize::from(entry.state))
                .copied()
                .unwrap_or(0)
        };
        // A packet may have come since `now` was read.
        let age = self
            .now
            .wrapping_sub(entry.seen)
            .cast_signed()
            .max(0)
            .cast_unsigned();
        let former = self.elsewhere.contains(&entry.destination) && age > self.former;
        if age > allowed || former {
            return Fate::Forget;
        }
        if !template && entry.flags & flag::REVERSE == 0 {
            let count = self.counts.entry(index).or_default();
            if entry.state == state::ESTABLISHED {
                count.0 += 1;
            } else {
                count.1 += 1;
            }
        }
        Fate::Keep
    }

    /// Established and other connections of each server that has any.
    #[must_use]
    pub fn counts(self) -> HashMap<u16, (i32, i32)> {
        self.counts
    }
}
