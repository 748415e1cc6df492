//! The services' tables: where they lie, what stands in them.

use std::collections::HashMap;

use ssi_abi::service;
use ssi_abi::table::SLOTS;
use ssi_api::lvs::{Scheduler, ServiceName};

use super::Write;
use super::commit::Phases;
use super::draft::{Draft, Drafts};
use super::error::Reason;
use super::model::{Model, Server, Service};
use super::schedule::{self, Member, slot::SlotTable};

/// Ranges by the service that gets another; none: it needs no table.
pub(super) type Ranges = HashMap<ServiceName, Option<(u32, u32)>>;

impl Model {
    /// A range for each draft that needs another than it has. Drafts that keep theirs are
    /// not in the result.
    pub(super) fn reserve(&mut self, drafts: &Drafts) -> Result<Ranges, Reason> {
        let mut taken = HashMap::new();
        for name in &drafts.order {
            let Some(draft) = &drafts.services[name] else {
                continue;
            };
            let len = table_len(draft);
            if !draft.anew && self.keeps_range(name, draft, len) {
                continue;
            }
            let hinted = self.hints.claim_range(name, draft.spec.scheduler, len);
            let range = match len {
                0 => Ok(None),
                len => match hinted {
                    Some(first) => Ok(Some((first, len))),
                    None => self.tables.take(len).map(|first| Some((first, len))),
                },
            };
            match range {
                Ok(range) => {
                    taken.insert(*name, range);
                }
                Err(full) => {
                    for (first, len) in taken.into_values().flatten() {
                        self.tables.give(first, len);
                    }
                    return Err(full.into());
                }
            }
        }
        Ok(taken)
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
        new_range: bool,
        phases: &mut Phases,
    ) {
        let members = members(service);
        if service.spec.scheduler != Scheduler::Slot {
            service.slots = None;
            if let Some((first, len)) = service.range {
                let entries = schedule::plan(service.spec.scheduler, &members, self.tuning.seed);
                debug_assert_eq!(entries.len(), len as usize);
                phases.entries.push(Write::Entries(first, entries));
            }
            return;
        }
        let Some((first, _)) = service.range else {
            service.slots = None;
            return;
        };
        let hinted = || self.hints.slots(name);
        let (mut slots, known) = match service.slots.take() {
            Some(slots) => (slots, !new_range),
            None => match hinted() {
                Some((slots, at)) => (slots, at == first),
                None => (SlotTable::default(), false),
            },
        };
        let changed = slots.assign(&members);
        if known {
            phases
                .entries
                .extend(runs(first, slots.entries(), &changed));
        } else {
            phases
                .entries
                .push(Write::Entries(first, slots.entries().to_vec()));
        }
        service.slots = Some(slots);
    }
}

/// How many entries a service's table has.
fn table_len(draft: &Draft) -> u32 {
    if draft.spec.scheduler == Scheduler::Slot {
        // Also with all servers at weight 0: previous owners go on.
        return if draft.servers.is_empty() { 0 } else { SLOTS };
    }
    let taking: Vec<Member> = draft
        .servers
        .iter()
        .filter(|(_, spec)| spec.weight > 0)
        .map(|(name, spec)| Member {
            index: 1,
            weight: spec.weight,
            name: *name,
        })
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

fn members(service: &Service) -> Vec<Member> {
    let member = |server: &Server| Member {
        index: server.index,
        weight: server.spec.weight,
        name: server.name,
    };
    service.servers.iter().map(member).collect()
}

/// Changed entries as runs of neighbours.
fn runs(first: u32, entries: &[u32], changed: &[u32]) -> Vec<Write> {
    changed
        .chunk_by(|a, b| a + 1 == *b)
        .map(|run| {
            let values = run.iter().map(|slot| entries[*slot as usize]).collect();
            Write::Entries(first + run[0], values)
        })
        .collect()
}
