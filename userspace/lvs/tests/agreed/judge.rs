//! What must hold of agreed slot tables, from entry to entry.

use std::collections::{BTreeMap, HashMap};

use proptest::prelude::*;
use ssi_abi::table::SLOTS;
use ssi_api::lvs::{Command, Scheduler, ServerName, ServiceName};
use ssi_lvs::core::{Absent, Agreed, AgreedService, Step};

/// Current and previous.
pub type Owners = (Option<ServerName>, Option<ServerName>);

/// All slot tables as they were last.
#[derive(Default)]
pub struct Judge {
    absent: Absent,
    tables: HashMap<ServiceName, Table>,
}

struct Table {
    owners: Vec<Owners>,
    /// For each slot, who has ever owned it: a bit by the last byte of the address.
    ever: Vec<u8>,
}

impl Judge {
    pub fn services(&self) -> impl Iterator<Item = &ServiceName> {
        self.tables.keys()
    }

    pub fn owners(&self, service: &ServiceName) -> &[Owners] {
        &self.tables[service].owners
    }

    /// Looks at all tables after an entry, or after something that may not change any.
    pub fn look(&mut self, agreed: &Agreed, step: &Step) -> Result<(), TestCaseError> {
        let mut before = std::mem::take(&mut self.tables);
        let absent = std::mem::replace(&mut self.absent, agreed.absent.clone());
        // Of several changes at once, only the sum is seen.
        let one = step.told.len() + usize::from(absent != agreed.absent) <= 1;
        for service in &agreed.services {
            let Some(packed) = &service.slots else {
                let by_slot = service.spec.scheduler == Scheduler::Slot;
                prop_assert!(!by_slot || service.servers.is_empty());
                continue;
            };
            let name = |place: u16| match place {
                0 => None,
                place => Some(service.servers[usize::from(place) - 1].0),
            };
            let owners = packed.owners(service.servers.len()).expect("just packed");
            let owners: Vec<Owners> = owners
                .into_iter()
                .map(|(c, p)| (name(c), name(p)))
                .collect();
            let takes = balanced(service, agreed, &owners)?;
            let known = before.remove(&service.name);
            let one = one && !remade(&service.name, step);
            if let (Some(known), true) = (&known, one) {
                thrifty(&known.owners, &owners)?;
                if !takes {
                    kept(&known.owners, &owners, service, agreed)?;
                }
            }
            let mut ever = known.map_or_else(|| vec![0; SLOTS as usize], |known| known.ever);
            for ((current, previous), ever) in owners.iter().zip(&mut ever) {
                if let Some(previous) = previous {
                    if one {
                        prop_assert_ne!(*ever & bit(previous), 0, "{} was no owner", previous);
                    }
                    *ever |= bit(previous);
                    prop_assert!(!agreed.absent.down.contains(&previous.addr));
                }
                *ever |= current.as_ref().map_or(0, bit);
            }
            self.tables.insert(service.name, Table { owners, ever });
        }
        Ok(())
    }
}

/// Whether a service may have lost its table and begun another.
fn remade(name: &ServiceName, step: &Step) -> bool {
    let (mut lost, mut remade) = (false, false);
    for command in step.told.iter().flatten() {
        match command {
            Command::DeleteService { service }
            | Command::EditService { service, .. }
            | Command::DeleteServer { service, .. } => lost |= service == name,
            Command::Clear => lost = true,
            _ => {}
        }
        remade |= lost && !matches!(command, Command::DeleteServer { .. });
    }
    remade
}

fn bit(server: &ServerName) -> u8 {
    match server.addr {
        std::net::IpAddr::V4(addr) => 1 << addr.octets()[3],
        std::net::IpAddr::V6(_) => unreachable!("all are IPv4 here"),
    }
}

fn owned(owners: &[Owners]) -> BTreeMap<ServerName, u32> {
    let mut owned = BTreeMap::new();
    for (current, _) in owners {
        if let Some(current) = current {
            *owned.entry(*current).or_default() += 1;
        }
    }
    owned
}

/// Everyone has its share, to one slot; the absent have none. That is so if anybody takes
/// connections, which is returned.
fn balanced(
    service: &AgreedService,
    agreed: &Agreed,
    owners: &[Owners],
) -> Result<bool, TestCaseError> {
    let has = owned(owners);
    let weights = service
        .servers
        .iter()
        .map(|(name, spec)| agreed.absent.weight(name, spec));
    let sum: u32 = weights.clone().sum();
    if sum == 0 {
        return Ok(false);
    }
    for ((name, _), weight) in service.servers.iter().zip(weights) {
        let share = f64::from(weight) / f64::from(sum) * f64::from(SLOTS);
        let has = f64::from(has.get(name).copied().unwrap_or(0));
        prop_assert!(
            (has - share).abs() < 1.0,
            "{name} has {has}, its share is {share}"
        );
    }
    let all: u32 = has.values().sum();
    prop_assert_eq!(all, SLOTS);
    Ok(true)
}

/// Nobody takes connections: everyone keeps what it has, but for those that are gone.
fn kept(
    before: &[Owners],
    after: &[Owners],
    service: &AgreedService,
    agreed: &Agreed,
) -> Result<(), TestCaseError> {
    let there = |server: &ServerName| {
        service.servers.iter().any(|(name, _)| name == server) && !agreed.absent.down(server)
    };
    let same = before.iter().zip(after).all(|(before, after)| {
        let kept = (before.0.filter(there), before.1.filter(there));
        kept == *after
    });
    prop_assert!(same, "{} moved slots to nobody", service.name);
    Ok(())
}

/// No slot moved but to those that have more than before.
fn thrifty(before: &[Owners], after: &[Owners]) -> Result<(), TestCaseError> {
    let moved = before
        .iter()
        .zip(after)
        .filter(|(b, a)| b.0 != a.0 && a.0.is_some())
        .count();
    let had = owned(before);
    let gained: u32 = owned(after)
        .iter()
        .map(|(name, n)| n.saturating_sub(had.get(name).copied().unwrap_or(0)))
        .sum();
    prop_assert_eq!(moved, gained as usize);
    Ok(())
}
