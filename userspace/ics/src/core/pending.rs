//! Calls that have been made and are not complete.

use std::collections::{BTreeMap, BTreeSet};

use super::{Lane, Moment, Service};

/// A stream on its way out, as its sender sees it.
#[derive(Debug, Default)]
pub(super) struct Stream {
    /// Chunks that may go now; the call itself goes before any.
    pub(super) chunks: u16,
    /// Its end has been sent.
    pub(super) ended: bool,
    /// Somebody was told that no chunk may go.
    pub(super) blocked: bool,
}

/// A call of which the end is awaited.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) lane: Lane,
    pub(super) service: Service,
    pub(super) deadline: Option<Moment>,
    pub(super) stream: Option<Stream>,
    /// When it was given to the lane; none while it waits for credit.
    pub(super) sent: Option<Moment>,
}

/// All of them, by their numbers.
#[derive(Debug, Default)]
pub(super) struct Pending {
    calls: BTreeMap<u64, Call>,
    deadlines: BTreeSet<(Moment, u64)>,
}

impl Pending {
    pub(super) fn insert(&mut self, request: u64, call: Call) {
        if let Some(deadline) = call.deadline {
            self.deadlines.insert((deadline, request));
        }
        self.calls.insert(request, call);
    }

    pub(super) fn get_mut(&mut self, request: u64) -> Option<&mut Call> {
        self.calls.get_mut(&request)
    }

    pub(super) fn remove(&mut self, request: u64) -> Option<Call> {
        let call = self.calls.remove(&request)?;
        if let Some(deadline) = call.deadline {
            self.deadlines.remove(&(deadline, request));
        }
        Some(call)
    }

    /// A call whose deadline is over.
    pub(super) fn overdue(&self, now: Moment) -> Option<u64> {
        let (deadline, request) = self.deadlines.first()?;
        (*deadline <= now).then_some(*request)
    }

    pub(super) fn next_deadline(&self) -> Option<Moment> {
        self.deadlines.first().map(|(deadline, _)| *deadline)
    }

    pub(super) fn len(&self) -> usize {
        self.calls.len()
    }

    /// Forgets all; whether there were any.
    pub(super) fn end(&mut self) -> bool {
        self.deadlines.clear();
        !std::mem::take(&mut self.calls).is_empty()
    }
}
