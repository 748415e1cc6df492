//! Real servers of virtual services: that the address is the cluster's, the ports go with the
//! method, and nothing is contradicted.

use std::collections::HashMap;

use ssi_api::lvs::{Method, Scheduler};

use super::super::balance::{Balance, VirtualService};
use super::super::mistake::Mistake;
use super::super::process::Process;
use super::super::source::At;
use super::super::world::World;
use super::Draft;

/// ipvsadm's.
const HEAVIEST: u32 = 65_535;

/// What was said of one process and can't be.
pub(super) fn check(process: &Process, world: &dyn World, wrong: &mut dyn FnMut(&str, String)) {
    for (n, balance) in process.balance.iter().enumerate() {
        let service = balance.service;
        if let Some(why) = mistaken(balance, world) {
            wrong("balance", format!("balance: {why}"));
        }
        if process.balance[..n].iter().any(|b| b.service == service) {
            wrong("balance", format!("balance has {service} twice"));
        }
    }
}

fn mistaken(balance: &Balance, world: &dyn World) -> Option<String> {
    let Balance { service, .. } = *balance;
    let address = service.address;
    if !world.has_cvip(address.ip()) {
        let known = world.cvips();
        let known: Vec<String> = known.iter().map(ToString::to_string).collect();
        let known = match &known[..] {
            [] => "it has none ([[cvip]] in ssi.toml gives it one)".to_owned(),
            known => format!("there are {}", known.join(", ")),
        };
        return Some(format!(
            "{} is no address of the cluster: {known}",
            address.ip()
        ));
    }
    if address.port() == 0 || balance.port == Some(0) {
        return Some(format!("{service}: there is no port 0"));
    }
    if balance.method != Method::Masq && balance.port() != address.port() {
        return Some(format!(
            "{service}: port {} needs method = \"masq\"; with \"{}\" a server has the service's own port",
            balance.port(),
            balance.method.name().to_lowercase()
        ));
    }
    let weight = balance.weight;
    (!(1..=HEAVIEST).contains(&weight))
        .then(|| format!("{service}: weight is 1 to {HEAVIEST}, not {weight}"))
}

/// Processes that want the same virtual service otherwise.
pub(super) fn mistakes(draft: &Draft) -> Vec<Mistake> {
    let mut found = Vec::new();
    let mut said: HashMap<VirtualService, (Scheduler, &At)> = HashMap::new();
    for (process, at) in &draft.processes {
        for balance in &process.balance {
            let Some(scheduler) = balance.scheduler else {
                continue;
            };
            let (other, first) = *said.entry(balance.service).or_insert((scheduler, at));
            if other != scheduler {
                let message = format!(
                    "balance: {} is scheduled by {other} at {}, not by {scheduler}",
                    balance.service,
                    first.place()
                );
                found.push(at.mistake("balance", message));
            }
        }
    }
    found
}
