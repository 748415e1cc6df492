//! Credits: how many calls to a service of the other node may be under way on a lane.
//!
//! The receiver grants a window of credits per lane and service. A call takes one, its
//! reply gives it back. Calls without a credit wait here, up to a bound; beyond it they are
//! refused. Every lane has its own credits, so that calls made while handling a call, which
//! go by the next higher lane, are never short of those that the handled calls hold.

use std::collections::{BTreeMap, VecDeque};

use super::frame::Frame;
use super::stats::ServiceStats;
use super::{Lane, Moment, Service};

/// A call that waits for a credit.
#[derive(Debug)]
pub(super) struct Waiting {
    pub(super) frame: Frame,
    pub(super) deadline: Option<Moment>,
}

#[derive(Debug, Default)]
struct Gate {
    used: u16,
    waiting: VecDeque<Waiting>,
    bytes: usize,
    /// Somebody was refused since there was room last.
    refused: bool,
    /// How many were.
    throttled: u64,
}

/// How much may wait for credit, per lane and service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Calls.
    pub calls: usize,
    /// Bytes of those. One call may always wait, whatever its size.
    pub bytes: usize,
}

/// The credits of one session, as its sender sees them.
#[derive(Debug)]
pub(super) struct Credits {
    bounds: Bounds,
    /// What the other end grants; not known before it is connected.
    window: u16,
    gates: [BTreeMap<Service, Gate>; Lane::COUNT],
    /// How many calls wait on each lane.
    waiting: [usize; Lane::COUNT],
    /// Where on each lane the next search for a call begins, so that all services get on.
    turn: [Service; Lane::COUNT],
}

impl Credits {
    pub(super) fn new(bounds: Bounds) -> Self {
        Self {
            bounds,
            window: 0,
            gates: Default::default(),
            waiting: [0; Lane::COUNT],
            turn: [0; Lane::COUNT],
        }
    }

    pub(super) fn set_window(&mut self, window: u16) {
        self.window = window;
    }

    pub(super) fn window(&self) -> u16 {
        self.window
    }

    /// Whether one more call of this size would be refused.
    pub(super) fn is_full(&self, lane: Lane, service: Service, bytes: usize) -> bool {
        self.gates[lane.index()]
            .get(&service)
            .is_some_and(|gate| gate.is_full(self.bounds, bytes))
    }

    /// Adds a call to those that wait, or gives it back.
    pub(super) fn wait(&mut self, lane: Lane, waiting: Waiting) -> Result<(), Waiting> {
        let service = waiting.frame.header.service;
        let gate = self.gates[lane.index()].entry(service).or_default();
        if gate.is_full(self.bounds, waiting.frame.bytes()) {
            gate.refused = true;
            gate.throttled += 1;
            return Err(waiting);
        }
        gate.bytes += waiting.frame.bytes();
        gate.waiting.push_back(waiting);
        self.waiting[lane.index()] += 1;
        Ok(())
    }

    /// The next call of a lane for which there is credit, and whether somebody who was
    /// refused may try again.
    pub(super) fn next(&mut self, lane: Lane) -> Option<(Waiting, bool)> {
        if self.waiting[lane.index()] == 0 {
            return None;
        }
        let (window, bounds) = (self.window, self.bounds);
        let turn = self.turn[lane.index()];
        let gates = &mut self.gates[lane.index()];
        let ready = |gate: &Gate| gate.used < window && !gate.waiting.is_empty();
        let service = gates
            .range(turn..)
            .chain(gates.range(..turn))
            .find_map(|(service, gate)| ready(gate).then_some(*service))?;
        let gate = gates.get_mut(&service)?;
        let waiting = gate.waiting.pop_front()?;
        self.waiting[lane.index()] -= 1;
        gate.bytes -= waiting.frame.bytes();
        gate.used += 1;
        self.turn[lane.index()] = service.wrapping_add(1);
        let wake = gate.refused && !gate.is_full(bounds, 0);
        gate.refused &= !wake;
        Some((waiting, wake))
    }

    /// Credits come back. False if there are more than were given.
    #[must_use]
    pub(super) fn give_back(&mut self, lane: Lane, service: Service, count: u16) -> bool {
        let Some(gate) = self.gates[lane.index()].get_mut(&service) else {
            return false;
        };
        let possible = count <= gate.used;
        gate.used = gate.used.saturating_sub(count);
        possible
    }

    /// Takes a call out of those that wait, and whether somebody who was refused may try
    /// again.
    pub(super) fn withdraw(&mut self, lane: Lane, service: Service, request: u64) -> Option<bool> {
        let gate = self.gates[lane.index()].get_mut(&service)?;
        let at = gate
            .waiting
            .iter()
            .position(|waiting| waiting.frame.header.request == request)?;
        let waiting = gate.waiting.remove(at)?;
        self.waiting[lane.index()] -= 1;
        gate.bytes -= waiting.frame.bytes();
        let wake = gate.refused && !gate.is_full(self.bounds, 0);
        gate.refused &= !wake;
        Some(wake)
    }

    /// Every lane and service where somebody was refused.
    pub(super) fn refused(&self) -> impl Iterator<Item = (Lane, Service)> {
        Lane::ALL.into_iter().flat_map(|lane| {
            self.gates[lane.index()]
                .iter()
                .filter(|(_, gate)| gate.refused)
                .map(move |(service, _)| (lane, *service))
        })
    }

    /// Calls of a lane that wait, the credits that are in use, and those that are left to
    /// the service that has the fewest.
    pub(super) fn counts(&self, lane: Lane) -> (usize, usize, u16) {
        let gates = self.gates[lane.index()].values();
        gates.fold((0, 0, self.window), |(waiting, used, left), gate| {
            (
                waiting + gate.waiting.len(),
                used + usize::from(gate.used),
                left.min(self.window.saturating_sub(gate.used)),
            )
        })
    }

    /// Every service that was called, on each lane.
    pub(super) fn services(&self) -> impl Iterator<Item = ServiceStats> {
        Lane::ALL.into_iter().flat_map(|lane| {
            let gates = self.gates[lane.index()].iter();
            gates.map(move |(service, gate)| ServiceStats {
                service: *service,
                lane: lane.number(),
                used: gate.used.into(),
                waiting: gate.waiting.len() as u64,
                waiting_bytes: gate.bytes as u64,
                throttled: gate.throttled,
            })
        })
    }
}

impl Gate {
    fn is_full(&self, bounds: Bounds, bytes: usize) -> bool {
        self.waiting.len() >= bounds.calls
            || (!self.waiting.is_empty() && self.bytes + bytes > bounds.bytes)
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::core::Priority;
    use crate::core::frame::{Header, Kind};

    const LANE: Lane = Lane::Calls(Priority::LOWEST);

    fn waiting(service: Service, request: u64, bytes: usize) -> Waiting {
        Waiting {
            frame: Frame {
                header: Header {
                    service,
                    request,
                    ..Header::new(Kind::Call, LANE)
                },
                body: Bytes::from(vec![0; bytes]),
            },
            deadline: None,
        }
    }

    fn credits(calls: usize, bytes: usize) -> Credits {
        let mut credits = Credits::new(Bounds { calls, bytes });
        credits.set_window(2);
        credits
    }

    #[test]
    fn a_full_queue_refuses_and_then_wakes() {
        let mut credits = credits(2, 1 << 20);
        assert!(credits.wait(LANE, waiting(1, 1, 0)).is_ok());
        assert!(credits.wait(LANE, waiting(1, 2, 0)).is_ok());
        assert!(credits.wait(LANE, waiting(1, 3, 0)).is_err());
        assert!(credits.is_full(LANE, 1, 0) && !credits.is_full(LANE, 2, 0));
        let (first, wake) = credits.next(LANE).unwrap();
        assert_eq!((first.frame.header.request, wake), (1, true));
        let (_, wake) = credits.next(LANE).unwrap();
        assert!(!wake, "once is enough");
        assert!(credits.wait(LANE, waiting(1, 4, 0)).is_ok());
        assert!(credits.next(LANE).is_none(), "the window is used up");
        assert!(credits.give_back(LANE, 1, 1));
        assert!(credits.next(LANE).is_some());
        assert!(!credits.give_back(LANE, 1, 9));
    }

    #[test]
    fn bytes_are_bounded_but_one_call_always_waits() {
        let mut credits = credits(100, 1000);
        assert!(credits.wait(LANE, waiting(1, 1, 5000)).is_ok());
        assert!(credits.wait(LANE, waiting(1, 2, 0)).is_err());
        assert_eq!(credits.withdraw(LANE, 1, 1), Some(true));
        assert_eq!(credits.counts(LANE), (0, 0, 2));
    }

    #[test]
    fn services_take_turns() {
        let mut credits = credits(10, 1 << 20);
        for request in 0..3 {
            assert!(credits.wait(LANE, waiting(5, request, 0)).is_ok());
            assert!(credits.wait(LANE, waiting(9, request, 0)).is_ok());
        }
        let order: Vec<u16> = std::iter::from_fn(|| credits.next(LANE))
            .map(|(waiting, _)| waiting.frame.header.service)
            .collect();
        assert_eq!(order, [5, 9, 5, 9]);
    }
}
