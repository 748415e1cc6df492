//! The services' tables: where they lie, what stands in them.

use std::collections::HashMap;

use ssi_abi::service;
use ssi_abi::table::{self, SLOTS};
use ssi_api::lvs::{Scheduler, ServiceName};

use super::Write;
use super::allocator::Full;
use super::commit::Phases;
use super::draft::{Draft, Drafts};
use super::model::{Model, Server, Service};
use super::packed::Packed;
use super::schedule::{self, Member, slot::SlotTable};

/// Ranges by the service that gets another; none: it needs no table.
pub(super) type Ranges = HashMap<ServiceName, Option<(u32, u32)>>;

impl Model {
    /// The drafts that need another range than they have, and how long; 0: none.
    fn needs(&self, drafts: &Drafts) -> Vec<(ServiceName, u32)> {
        let drafted = |name: &ServiceName| Some((*name, drafts.services[name].as_ref()?));
        let drafted = drafts.order.iter().filter_map(drafted);
        drafted
            .map(|(name, draft)| (name, draft, self.table_len(draft)))
            .filter(|(name, draft, len)| draft.anew || !self.keeps_range(name, draft, *len))
            .map(|(name, _, len)| (name, len))
            .collect()
    }

    /// Whether there is room for all tables.
    pub(super) fn room(&self, drafts: &Drafts) -> Result<(), Full> {
        let mut tables = self.tables.clone();
        for (first, len) in &self.given_up {
            tables.give(*first, *len);
        }
        for (_, len) in self.needs(drafts) {
            if len != 0 {
                tables.take(len)?;
            }
        }
        Ok(())
    }

    /// A range for each draft that needs another than it has. Drafts that keep theirs are
    /// not in the result; those that there is no room for get none, and are starved.
    pub(super) fn reserve(&mut self, drafts: &Drafts) -> Ranges {
        let mut ranges = Ranges::new();
        for (name, len) in self.needs(drafts) {
            let scheduler = drafts.services[&name].as_ref().map(|d| d.spec.scheduler);
            let hinted = scheduler.and_then(|s| self.hints.claim_range(&name, s, len));
            let range = match len {
                0 => None,
                len => match hinted {
                    Some(first) => Some((first, len)),
                    None => self.tables.take(len).ok().map(|first| (first, len)),
                },
            };
            ranges.insert(name, range);
            if len != 0 && range.is_none() {
                self.starved.insert(name);
            } else {
                self.starved.remove(&name);
            }
        }
        ranges
    }

    /// Tables by hash are edited in place; tables of turns and lists are replaced.
    fn keeps_range(&self, name: &ServiceName, draft: &Draft, len: u32) -> bool {
        let Some(old) = self.services.get(name) else {
            return false;
        };
        let way = schedule::way(draft.spec.scheduler);
        let in_place = way == service::scheduler::HASH || way == service::scheduler::SLOT;
        let had = old.range.map_or(0, |(_, len)| len);
        had == len && (len == 0 || in_place && way == schedule::way(old.spec.scheduler))
    }

    /// Writes what has changed in a service's table.
    pub(super) fn write_table(
        &mut self,
        name: &ServiceName,
        service: &mut Service,
        draft: &Draft,
        new_range: bool,
        phases: &mut Phases,
    ) {
        let members = self.members(service);
        if service.spec.scheduler != Scheduler::Slot {
            service.slots = None;
            if let Some((first, len)) = service.range {
                let entries = schedule::plan(service.spec.scheduler, &members, self.tuning.seed);
                debug_assert_eq!(entries.len(), len as usize);
                phases.entries.push(Write::Entries(first, entries));
            }
            return;
        }
        if service.servers.is_empty() {
            service.slots = None;
            return;
        }
        let former = service.slots.take();
        let hinted = self.hints.slots(name);
        let mut slots = draft
            .slots
            .as_ref()
            .and_then(|packed| unpack(packed, service))
            .or_else(|| former.clone())
            .or_else(|| hinted.as_ref().map(|(slots, _)| slots.clone()))
            .unwrap_or_default();
        slots.assign(&members);
        if let Some((first, _)) = service.range {
            let stands = match &hinted {
                _ if !new_range => former,
                Some((slots, at)) if *at == first => Some(slots.clone()),
                _ => None,
            };
            let entries = slots.entries();
            match stands {
                Some(stands) => phases
                    .entries
                    .extend(runs(first, stands.entries(), entries)),
                None => phases.entries.push(Write::Entries(first, entries.to_vec())),
            }
        }
        service.slots = Some(slots);
    }

    /// How many entries a service's table has.
    fn table_len(&self, draft: &Draft) -> u32 {
        if draft.spec.scheduler == Scheduler::Slot {
            // Also with all servers at weight 0: previous owners go on.
            return if draft.servers.is_empty() { 0 } else { SLOTS };
        }
        let taking: Vec<Member> = draft
            .servers
            .iter()
            .map(|(name, spec)| Member {
                index: 1,
                weight: self.absent.weight(name, spec),
                name: *name,
            })
            .filter(|member| member.weight > 0)
            .collect();
        let len = match draft.spec.scheduler {
            _ if taking.is_empty() => 0,
            Scheduler::Rr | Scheduler::Lc | Scheduler::Wlc => taking.len(),
            Scheduler::Wrr => schedule::turn::weighted(&taking).len(),
            Scheduler::Sh => schedule::hashed::BUCKETS,
            Scheduler::Mh => schedule::maglev::SIZE,
            Scheduler::Slot => SLOTS as usize,
        };
        len as u32
    }

    /// Those that take part in scheduling: servers of nodes that are down don't, so that
    /// nobody gets a second chance with them.
    fn members(&self, service: &Service) -> Vec<Member> {
        let there = |server: &&Server| !self.absent.down(&server.name);
        let servers = service.servers.iter().filter(there);
        servers
            .map(|server| Member {
                index: server.index,
                weight: self.absent.weight(&server.name, &server.spec),
                name: server.name,
            })
            .collect()
    }
}

/// The slots as others have them, by the indices that the servers have here.
fn unpack(packed: &Packed, service: &Service) -> Option<SlotTable> {
    let owners = packed.owners(service.servers.len()).ok()?;
    let index = |place: u16| match place {
        0 => 0,
        place => service.servers[usize::from(place) - 1].index,
    };
    let entries = owners
        .into_iter()
        .map(|(current, previous)| table::entry(index(current), index(previous)));
    Some(SlotTable::from_entries(entries.collect()))
}

/// Entries that are not as they stand, as runs of neighbours.
fn runs(first: u32, stands: &[u32], entries: &[u32]) -> Vec<Write> {
    let changed: Vec<usize> = (0..entries.len())
        .filter(|slot| stands[*slot] != entries[*slot])
        .collect();
    changed
        .chunk_by(|a, b| a + 1 == *b)
        .map(|run| {
            let values = entries[run[0]..=run[run.len() - 1]].to_vec();
            Write::Entries(first + run[0] as u32, values)
        })
        .collect()
}
