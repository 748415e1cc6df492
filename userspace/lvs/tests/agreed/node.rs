//! A node: a model with maps of its own.

use std::collections::HashMap;

use proptest::prelude::*;
use ssi_abi::service::Service as ServiceRecord;
use ssi_abi::table;
use ssi_api::lvs::{Command, ServerName};
use ssi_lvs::core::{Agreed, Environment, Model, Step, Tuning};

use crate::judge::Judge;
use crate::maps::{Maps, TUNING};

pub struct Node {
    pub number: usize,
    pub model: Model,
    maps: Maps,
    tuning: Tuning,
    /// It takes nothing in for now.
    pub away: bool,
}

impl Node {
    /// A node that had services of its own. Every other one has too little room for the
    /// tables of all services.
    pub fn new(number: usize, own: &[Command]) -> Self {
        let tuning = Tuning {
            seed: number as u64,
            node: number as u32 + 1,
            table_entries: if number % 2 == 1 { 3 << 16 } else { 1 << 20 },
            ..TUNING
        };
        let mut node = Self {
            number,
            model: Model::new(tuning),
            maps: Maps::new(),
            tuning,
            away: false,
        };
        for command in own {
            if let Ok(writes) = node.model.apply(std::slice::from_ref(command)) {
                node.maps.carry_out(&writes);
            }
        }
        node
    }

    /// What it saved, as it would read it again.
    pub fn export(&self) -> Vec<u8> {
        self.model.export().write().expect("JSON")
    }

    /// Takes an entry in; only so many of the writes are carried out.
    pub fn take(&mut self, step: &Step, most: usize) -> Vec<bool> {
        let (writes, answers) = self.model.step(step);
        let most = most.min(writes.len());
        self.maps.carry_out(&writes[..most]);
        let again = self.model.step(step);
        assert_eq!(again, (vec![], vec![]), "an entry is taken in once");
        answers.iter().map(Result::is_ok).collect()
    }

    pub fn import(&mut self, export: &[u8]) -> Result<(), TestCaseError> {
        let agreed = Agreed::read(export).expect("just written");
        let writes = self.model.import(&agreed).expect("another one has it");
        self.maps.carry_out(&writes);
        self.away = false;
        Ok(())
    }

    pub fn surround(&mut self, environment: &Environment) {
        let writes = self.model.set_environment(environment.clone());
        self.maps.carry_out(&writes);
    }

    /// The daemon comes back: what it saved, and what the maps hold.
    pub fn restart(&mut self) -> Result<(), TestCaseError> {
        let saved = Agreed::read(&self.export()).expect("just written");
        let environment = self.model.environment().clone();
        let (model, writes) =
            Model::adopt(self.tuning, environment, &self.maps.dump(), Some(&saved))
                .expect("it was there before");
        self.maps.carry_out(&writes);
        self.model = model;
        Ok(())
    }

    /// The machine comes back: what was saved is all there is.
    pub fn reboot(&mut self) -> Result<(), TestCaseError> {
        self.maps = Maps::new();
        self.restart()
    }

    /// What packets are scheduled by is what was agreed.
    pub fn maps_agree(&self, judge: &Judge) -> Result<(), TestCaseError> {
        let mut names: HashMap<u16, ServerName> = HashMap::new();
        for (index, record) in (0..=u16::MAX).zip(&self.maps.servers) {
            if record.service != 0 {
                let addr = record.addr.into();
                names.insert(index, ServerName { addr, port: 80 });
            }
        }
        for service in judge.services() {
            let index = self.model.service_index(service).expect("it was agreed");
            let (first, len) = ServiceRecord::table_range(self.maps.services[index as usize].table);
            if self.model.starved().contains(service) {
                prop_assert_eq!(len, 0);
                continue;
            }
            let entries = &self.maps.table[first as usize..][..len as usize];
            let owners = judge.owners(service);
            prop_assert_eq!(owners.len(), entries.len());
            let name = |index| names.get(&index).copied();
            let same = entries.iter().zip(owners).all(|(entry, owners)| {
                (name(table::current(*entry)), name(table::previous(*entry))) == *owners
            });
            prop_assert!(same, "node {}: {service} in the maps", self.number);
        }
        Ok(())
    }
}

/// Most writes that an entry can lead to, for choosing where to cut them off.
pub const WRITES: usize = 60;
