//! What the configuration says of how a node's processes are looked at; it may change.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use ssi_mosix::load::Capacity;

use crate::config::Config;

/// As it is now.
#[derive(Debug, Default)]
pub(super) struct Tuning {
    waits: AtomicBool,
    speed: AtomicU32,
}

impl Tuning {
    pub(super) fn set(&self, config: &Config) {
        self.waits.store(config.processes.waits, Ordering::Relaxed);
        self.speed.store(config.node.speed, Ordering::Relaxed);
    }

    /// Whether it is to be measured how long tasks wait.
    pub(super) fn waits(&self) -> bool {
        self.waits.load(Ordering::Relaxed)
    }

    /// What a node of so many processors can do.
    pub(super) fn capacity(&self, cpus: u32) -> Capacity {
        Capacity::new(cpus, self.speed.load(Ordering::Relaxed))
    }
}
