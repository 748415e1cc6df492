//! How many may stand at the door at once, and how often a refusal is told.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::time::{Duration, Instant};

/// Most at once.
const MOST: usize = 256;
/// Most at once from one address.
const MOST_EACH: usize = 16;
/// A reason is logged so often at most.
const QUIET: Duration = Duration::from_secs(10);

/// Keeps count.
#[derive(Debug, Default)]
pub(super) struct Bouncer {
    inside: HashMap<IpAddr, usize>,
    all: usize,
    refused: BTreeMap<&'static str, Refused>,
}

#[derive(Debug)]
struct Refused {
    count: u64,
    /// Not yet told.
    silent: u64,
    told: Option<Instant>,
}

impl Bouncer {
    /// Somebody comes from an address.
    pub(super) fn enter(&mut self, from: IpAddr) -> Result<(), &'static str> {
        if self.all >= MOST {
            return Err("too many at once");
        }
        let inside = self.inside.entry(from).or_default();
        if *inside >= MOST_EACH {
            return Err("too many at once from one address");
        }
        *inside += 1;
        self.all += 1;
        Ok(())
    }

    /// Somebody goes.
    pub(super) fn leave(&mut self, from: IpAddr) {
        if let Some(inside) = self.inside.get_mut(&from) {
            *inside -= 1;
            if *inside == 0 {
                self.inside.remove(&from);
            }
            self.all -= 1;
        }
    }

    /// Counts a refusal; if it is to be told, how many were not since the last that was.
    pub(super) fn count(&mut self, reason: &'static str) -> Option<u64> {
        let now = Instant::now();
        let refused = self.refused.entry(reason).or_insert(Refused {
            count: 0,
            silent: 0,
            told: None,
        });
        refused.count += 1;
        if refused.told.is_some_and(|told| now - told < QUIET) {
            refused.silent += 1;
            return None;
        }
        refused.told = Some(now);
        Some(std::mem::take(&mut refused.silent))
    }

    /// How many were refused, by reason.
    pub(super) fn refused(&self) -> BTreeMap<String, u64> {
        let all = self.refused.iter();
        all.map(|(reason, refused)| ((*reason).to_owned(), refused.count))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_address_does_not_fill_the_house_and_a_burst_is_told_once() {
        let mut bouncer = Bouncer::default();
        let (one, other): (IpAddr, IpAddr) =
            ("10.0.0.1".parse().unwrap(), "10.0.0.2".parse().unwrap());
        for _ in 0..MOST_EACH {
            bouncer.enter(one).unwrap();
        }
        assert!(bouncer.enter(one).is_err());
        assert!(bouncer.enter(other).is_ok());
        bouncer.leave(one);
        assert!(bouncer.enter(one).is_ok());
        assert_eq!(bouncer.count("x"), Some(0));
        assert_eq!(bouncer.count("x"), None);
        assert_eq!(bouncer.count("y"), Some(0));
        assert_eq!(bouncer.refused()["x"], 2);
    }
}
