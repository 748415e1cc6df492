//! Calls of the other node that are being handled here.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::{Lane, Moment, Priority, Service};

/// Most pairs of a lane and a service that one session is about. There are far fewer
/// services; more are made up.
const PAIRS: usize = 2048;

/// A stream that comes in.
#[derive(Debug)]
pub(super) struct Incoming {
    /// Chunks that may still come.
    pub(super) chunks: u16,
    /// Chunks that have been used up and not been granted again.
    pub(super) used: u16,
    /// Its end has come.
    pub(super) ended: bool,
}

/// A call that is being handled.
#[derive(Debug)]
pub(super) struct Served {
    pub(super) lane: Lane,
    pub(super) service: Service,
    pub(super) priority: Priority,
    pub(super) one_way: bool,
    pub(super) deadline: Option<Moment>,
    /// The deadline has come.
    pub(super) overdue: bool,
    pub(super) stream: Option<Incoming>,
}

/// All of them, by the caller's numbers.
#[derive(Debug, Default)]
pub(super) struct Serving {
    served: HashMap<u64, Served>,
    deadlines: BTreeSet<(Moment, u64)>,
    /// Calls that hold a credit: those above, and one-way calls that are done but whose
    /// credit was not sent back yet.
    held: BTreeMap<(Lane, Service), u16>,
    /// Credits of one-way calls that are to be sent back.
    owed: BTreeMap<(Lane, Service), u16>,
}

impl Serving {
    /// Takes a call in; false if it has no credit, its number is taken, or it is to one
    /// service more than there can be.
    #[must_use]
    pub(super) fn insert(&mut self, request: u64, served: Served, window: u16) -> bool {
        let pair = (served.lane, served.service);
        if self.held.len() >= PAIRS && !self.held.contains_key(&pair) {
            return false;
        }
        let held = self.held.entry(pair).or_default();
        if *held >= window || self.served.contains_key(&request) {
            return false;
        }
        *held += 1;
        if let Some(deadline) = served.deadline {
            self.deadlines.insert((deadline, request));
        }
        self.served.insert(request, served);
        true
    }

    pub(super) fn get_mut(&mut self, request: u64) -> Option<&mut Served> {
        self.served.get_mut(&request)
    }

    /// A call that is done. Its credit goes with the reply; of a one-way call it is owed.
    pub(super) fn remove(&mut self, request: u64) -> Option<Served> {
        let served = self.served.remove(&request)?;
        if let Some(deadline) = served.deadline {
            self.deadlines.remove(&(deadline, request));
        }
        let key = (served.lane, served.service);
        if served.one_way {
            *self.owed.entry(key).or_default() += 1;
        } else {
            self.release(key, 1);
        }
        Some(served)
    }

    /// Credits to send back, once enough have gathered. The sender has the others, so that
    /// it can't be out of credit when nothing is being handled.
    pub(super) fn owed(&mut self, lane: Lane, service: Service, window: u16) -> Option<u16> {
        let owed = self.owed.get_mut(&(lane, service))?;
        if *owed < (window / 4).max(1) {
            return None;
        }
        let count = std::mem::take(owed);
        self.release((lane, service), count);
        Some(count)
    }

    /// Most replies that an honest caller can leave unacknowledged, but for those that it is
    /// about to acknowledge: as many as it has had credits for.
    pub(super) fn most_replies(&self, window: u16) -> usize {
        (self.held.len() + 1) * usize::from(window)
    }

    fn release(&mut self, key: (Lane, Service), count: u16) {
        if let Some(held) = self.held.get_mut(&key) {
            *held = held.saturating_sub(count);
        }
    }

    /// Calls whose deadline is over. Each is named once.
    pub(super) fn overdue(&mut self, now: Moment) -> Option<u64> {
        let first = *self.deadlines.first()?;
        (first.0 <= now).then(|| {
            self.deadlines.remove(&first);
            if let Some(served) = self.served.get_mut(&first.1) {
                served.overdue = true;
            }
            first.1
        })
    }

    pub(super) fn next_deadline(&self) -> Option<Moment> {
        self.deadlines.first().map(|(deadline, _)| *deadline)
    }

    pub(super) fn len(&self) -> usize {
        self.served.len()
    }

    /// Their numbers.
    pub(super) fn requests(&self) -> Vec<u64> {
        let mut requests: Vec<u64> = self.served.keys().copied().collect();
        requests.sort_unstable();
        requests
    }
}
