//! Whose processes are: known for a second, as every name that is looked up under a process
//! asks.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use ssi_api::process::Cpid;

/// How long it is believed. A process that becomes another user's shows it by then.
pub(super) const FRESH: Duration = Duration::from_secs(1);
/// Most processes that are remembered.
const MOST: usize = 65_536;

/// Whose a process is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Owner {
    pub(super) uid: u32,
    pub(super) gid: u32,
}

#[derive(Debug, Default)]
pub(super) struct Owners(Mutex<HashMap<Cpid, (Instant, Owner)>>);

impl Owners {
    /// Whose a process was less than [`FRESH`] ago.
    pub(super) fn get(&self, cpid: Cpid, now: Instant) -> Option<Owner> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (at, owner) = known.get(&cpid)?;
        (now.duration_since(*at) < FRESH).then_some(*owner)
    }

    pub(super) fn put(&self, cpid: Cpid, now: Instant, owner: Owner) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MOST {
            known.retain(|_, (at, _)| now.duration_since(*at) < FRESH);
            if known.len() >= MOST {
                known.clear();
            }
        }
        known.insert(cpid, (now, owner));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_believed_for_a_second() {
        let (owners, now) = (Owners::default(), Instant::now());
        let cpid = Cpid::new(1, 1).expect("in range");
        assert_eq!(owners.get(cpid, now), None);
        let owner = Owner { uid: 7, gid: 8 };
        owners.put(cpid, now, owner);
        assert_eq!(owners.get(cpid, now + FRESH / 2), Some(owner));
        assert_eq!(owners.get(cpid, now + FRESH), None);
    }

    #[test]
    fn no_more_than_so_many_are_remembered() {
        let (owners, now) = (Owners::default(), Instant::now());
        for pid in 1..=MOST as u32 + 10 {
            let cpid = Cpid::new(1, pid).expect("in range");
            owners.put(cpid, now, Owner { uid: 0, gid: 0 });
        }
        assert!(owners.0.lock().expect("nobody panicked").len() <= MOST);
    }
}
