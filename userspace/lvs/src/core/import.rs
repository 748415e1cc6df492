//! The agreed state, out of one model and into another.

use std::collections::{BTreeSet, HashMap, HashSet};

use ssi_abi::table;
use ssi_api::lvs::{Scheduler, ServiceName};

use super::Write;
use super::agreed::{Agreed, AgreedService, Unusable, VERSION};
use super::draft::{Draft, Drafts};
use super::model::{Model, Service};
use super::packed::Packed;

impl Model {
    /// All that nodes agree on, at this model's epoch.
    #[must_use]
    pub fn export(&self) -> Agreed {
        let service = |name: &ServiceName| {
            let service = &self.services[name];
            AgreedService {
                name: *name,
                spec: service.spec.clone(),
                servers: service.servers.iter().map(|s| (s.name, s.spec)).collect(),
                slots: pack(service),
            }
        };
        Agreed {
            version: VERSION,
            epoch: self.epoch,
            seed: self.tuning.seed,
            timeouts: self.timeouts(),
            absent: self.absent.clone(),
            services: self.order.values().map(service).collect(),
        }
    }

    /// Services as they are configured, without their slots: those of these names, and those
    /// that supervision has anything in.
    #[must_use]
    pub fn configured(&self, named: &BTreeSet<ServiceName>) -> Vec<AgreedService> {
        let asked = |name: &&ServiceName| {
            let service = &self.services[*name];
            let mut servers = service.servers.iter();
            named.contains(*name)
                || service.spec.supervised
                || servers.any(|server| server.spec.supervised)
        };
        let service = |name: &ServiceName| {
            let service = &self.services[name];
            AgreedService {
                name: *name,
                spec: service.spec.clone(),
                servers: service.servers.iter().map(|s| (s.name, s.spec)).collect(),
                slots: None,
            }
        };
        self.order.values().filter(asked).map(service).collect()
    }

    /// Becomes as another model is that has come further, or as it was itself. Services,
    /// servers and tables keep their places, and only what differs is written: packets go
    /// on being scheduled meanwhile.
    ///
    /// # Errors
    /// [`Unusable`]: nothing changed.
    pub fn import(&mut self, agreed: &Agreed) -> Result<Vec<Write>, Unusable> {
        if agreed.epoch < self.epoch {
            return Err(Unusable::Old {
                of: agreed.epoch,
                at: self.epoch,
            });
        }
        let before = self.settings();
        let mut writes = self.become_as(agreed)?;
        if self.settings() != before {
            writes.push(Write::Settings(self.settings()));
        }
        Ok(writes)
    }

    /// See [`Model::import`]; leaves the settings to be written.
    pub(super) fn become_as(&mut self, agreed: &Agreed) -> Result<Vec<Write>, Unusable> {
        let mut drafts = Drafts::of_agreed(self, agreed)?;
        let reseeded = agreed.epoch > 0 && agreed.seed != self.tuning.seed;
        if reseeded {
            self.tuning.seed = agreed.seed;
        }
        let former = std::mem::replace(&mut self.absent, agreed.absent.clone());
        self.epoch = agreed.epoch;
        let _ = self.set_timeouts(&agreed.timeouts);
        drafts.order.retain(|name| {
            let (Some(Some(draft)), Some(old)) =
                (drafts.services.get(name), self.services.get(name))
            else {
                return true;
            };
            let by_seed = matches!(draft.spec.scheduler, Scheduler::Slot | Scheduler::Mh);
            let mut servers = old.servers.iter();
            (reseeded && by_seed)
                || draft.slots.is_some()
                || !is(old, draft)
                || servers.any(|server| former.differ(&self.absent, server.name.addr))
        });
        let named: HashSet<ServiceName> = drafts.order.iter().copied().collect();
        drafts.services.retain(|name, _| named.contains(name));
        let writes = self.carry_out(drafts, &[]);
        self.put_in_order(agreed);
        Ok(writes)
    }

    fn put_in_order(&mut self, agreed: &Agreed) {
        self.order.clear();
        for (order, service) in (0..).zip(&agreed.services) {
            self.order.insert(order, service.name);
            if let Some(known) = self.services.get_mut(&service.name) {
                known.order = order;
            }
        }
        self.next_order = agreed.services.len() as u64;
    }
}

impl Drafts {
    /// From whatever a model has to the agreed state.
    fn of_agreed(model: &Model, agreed: &Agreed) -> Result<Self, Unusable> {
        // It must be possible by itself, whatever this node has.
        let nothing = Model::new(model.tuning);
        let mut drafts = Self::of(&nothing, &agreed.commands())?;
        for service in &agreed.services {
            if let Some(packed) = &service.slots {
                packed
                    .owners(service.servers.len())
                    .map_err(|damaged| Unusable::Slots(service.name, damaged))?;
            }
            if let Some(Some(draft)) = drafts.services.get_mut(&service.name) {
                draft.anew = false;
                draft.slots.clone_from(&service.slots);
            }
        }
        let gone: Vec<_> = model
            .order
            .values()
            .filter(|name| !drafts.services.contains_key(*name))
            .copied()
            .collect();
        drafts
            .services
            .extend(gone.iter().map(|name| (*name, None)));
        drafts.order.splice(0..0, gone);
        Ok(drafts)
    }
}

/// Whether a service is as it shall be, but for its slots.
fn is(service: &Service, draft: &Draft) -> bool {
    service.spec == draft.spec
        && service.servers.len() == draft.servers.len()
        && service
            .servers
            .iter()
            .zip(&draft.servers)
            .all(|(server, (name, spec))| server.name == *name && server.spec == *spec)
}

/// The owners of a service's slots, by their places in its list.
fn pack(service: &Service) -> Option<Packed> {
    let slots = service.slots.as_ref()?;
    let places: HashMap<u16, u16> = (1..)
        .zip(&service.servers)
        .map(|(place, server)| (server.index, place))
        .collect();
    let place = |index| places.get(&index).copied().unwrap_or(0);
    let owners: Vec<(u16, u16)> = slots
        .entries()
        .iter()
        .map(|entry| {
            (
                place(table::current(*entry)),
                place(table::previous(*entry)),
            )
        })
        .collect();
    Some(Packed::new(&owners))
}
