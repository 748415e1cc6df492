//! The network between the hosts, and what is wrong with it.

use std::collections::HashMap;
use std::time::Duration;

use rand::RngExt as _;
use rand::rngs::SmallRng;

/// The state of every way from one host to another.
#[derive(Clone, Debug, Default)]
pub(crate) struct Links {
    /// Loss on all ways, as a probability.
    pub(crate) loss: f64,
    /// Loss of everything to or from a host.
    pub(crate) host_loss: HashMap<usize, f64>,
    /// Ways that let nothing through, by who sends and who should receive.
    blocked: HashMap<(usize, usize), ()>,
}

impl Links {
    /// Blocks or opens the way from one host to another.
    pub(crate) fn set(&mut self, from: usize, to: usize, open: bool) {
        if open {
            self.blocked.remove(&(from, to));
        } else {
            self.blocked.insert((from, to), ());
        }
    }

    /// Opens all ways, without loss.
    pub(crate) fn heal(&mut self) {
        *self = Self::default();
    }

    fn survival(&self, from: usize, to: usize) -> f64 {
        let of = |host: &usize| 1.0 - self.host_loss.get(host).copied().unwrap_or(0.0);
        (1.0 - self.loss) * of(&from) * of(&to)
    }

    fn latency(rng: &mut SmallRng) -> Duration {
        // A local network: 50 µs, now and then a millisecond.
        let tail = if rng.random_bool(0.01) { 1_000 } else { 50 };
        Duration::from_micros(50 + rng.random_range(0..tail))
    }

    /// When a datagram arrives after it was sent, if it does.
    pub(crate) fn datagram(&self, from: usize, to: usize, rng: &mut SmallRng) -> Option<Duration> {
        let latency = Self::latency(rng);
        let lost =
            self.blocked.contains_key(&(from, to)) || !rng.random_bool(self.survival(from, to));
        (!lost).then_some(latency)
    }

    /// When a piece of a TCP stream arrives, if it does before its connection is given
    /// up: segment and acknowledgement must come through, and lost ones are sent again,
    /// first soon (tail loss probe, RFC 8985), then after 200 ms, doubling (RFC 6298).
    pub(crate) fn stream(&self, from: usize, to: usize, rng: &mut SmallRng) -> Option<Duration> {
        let both = [(from, to), (to, from)];
        if both.iter().any(|way| self.blocked.contains_key(way)) {
            return None;
        }
        let mut delay = Self::latency(rng);
        let mut again = Duration::from_millis(10);
        let survival = self.survival(from, to);
        for _ in 0..6 {
            if rng.random_bool(survival) {
                return Some(delay);
            }
            delay += again;
            again = (again * 2).max(Duration::from_millis(200));
        }
        None
    }
}
