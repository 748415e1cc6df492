//! What must never happen, whatever goes wrong. One file each.

mod agreement;
mod bounded;
mod healthy;
mod leases;
mod masters;
mod owners;
mod votes;

use ssi_clms::core::follower::Installed;

use crate::life::RESOURCES;
use crate::world::World;

pub(crate) use bounded::Bounded;
pub(crate) use healthy::Healthy;

/// What has been seen so far.
#[derive(Debug, Default)]
pub(crate) struct Invariants {
    pub(crate) agreement: agreement::Agreement,
    pub(crate) bounded: Bounded,
    pub(crate) healthy: Healthy,
    leases: leases::Leases,
    /// When to look again, in nanoseconds, where a look after every event takes too long.
    next: u64,
    /// The first thing that happened though it must not.
    pub(crate) broken: Option<String>,
}

/// Hosts above which it isn't looked after every event.
const MANY: usize = 20;

impl Invariants {
    /// After every event, at the host where something happened: only there can a right begin;
    /// those of others end by themselves.
    pub(crate) fn check(world: &mut World, now: u64, host: usize) {
        let large = world.hosts.len() > MANY;
        if world.invariants.broken.is_some() || large && now < world.invariants.next {
            return;
        }
        if large {
            world.invariants.next = now + 5_000_000;
            return Self::check_all(world);
        }
        let masters = world.hosts[host].masters(now);
        let mut resources = RESOURCES.iter();
        if masters || resources.any(|resource| world.hosts[host].acts_for(now, resource)) {
            Self::check_all(world);
        }
    }

    /// After whatever a scenario has done.
    pub(crate) fn check_all(world: &mut World) {
        let now = world.now();
        let broken = masters::check(world, now).or_else(|| {
            let mut resources = RESOURCES.iter();
            resources.find_map(|resource| owners::check(world, now, resource))
        });
        if let Some(what) = broken {
            Self::broke(world, what);
        }
    }

    /// A host has a new view.
    pub(crate) fn installed(world: &mut World, host: usize, installed: &Installed) {
        let view = &installed.view;
        world.say(|| {
            let came = installed.transitions.iter();
            let came: Vec<String> = came
                .map(|t| format!("{} {}→{}", t.node, t.from, t.to))
                .collect();
            format!(
                "host{} installs {} {}",
                host + 1,
                view.epoch,
                came.join(", ")
            )
        });
        let broken = world
            .invariants
            .agreement
            .installed(installed)
            .or_else(|| world.invariants.bounded.installed(installed))
            .or_else(|| world.invariants.healthy.installed(installed))
            .or_else(|| votes::installed(installed))
            .or_else(|| leases::Leases::installed(world, installed));
        if let Some(what) = broken {
            Self::broke(world, what);
        }
    }

    fn broke(world: &mut World, what: String) {
        world.say(|| format!("BROKEN: {what}"));
        world.invariants.broken.get_or_insert(what);
    }
}
