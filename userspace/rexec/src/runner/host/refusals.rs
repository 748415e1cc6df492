//! Connections that are turned away: counted, and said once for each burst.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::core::Turned;

/// Silence after which the next one is said again.
const BURST: Duration = Duration::from_secs(10);

#[derive(Debug, Default)]
pub(super) struct Refusals(Mutex<BTreeMap<Turned, (u64, Option<Instant>)>>);

impl Refusals {
    pub(super) fn count(&self, from: IpAddr, why: Turned) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (count, last) = all.entry(why).or_default();
        *count += 1;
        let new = last.is_none_or(|last| last.elapsed() > BURST);
        *last = Some(Instant::now());
        if new {
            let why = why.name();
            tracing::warn!(
                "a connection from {from} turned away: {why}; more are only counted (ssi ics)"
            );
        }
    }

    pub(super) fn all(&self) -> BTreeMap<&'static str, u64> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.iter()
            .map(|(why, (count, _))| (why.name(), *count))
            .collect()
    }
}
