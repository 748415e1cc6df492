//! Totals and rates, as `ipvsadm --stats` and `--rate` show them.

use ssi_abi::stats::Stats;
use ssi_api::lvs::{Counters, Rates};

/// Totals of all CPUs at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Snapshot(Counters);

impl Snapshot {
    /// Adds up the CPUs.
    #[must_use]
    pub fn of(cpus: &[Stats]) -> Self {
        let sum = |of: fn(&Stats) -> u64| cpus.iter().map(of).fold(0, u64::wrapping_add);
        Self(Counters {
            connections: sum(|s| s.connections),
            in_packets: sum(|s| s.in_packets),
            out_packets: sum(|s| s.out_packets),
            in_bytes: sum(|s| s.in_bytes),
            out_bytes: sum(|s| s.out_bytes),
        })
    }
}

/// What is shown of one service's or server's totals.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Meter {
    zero: Counters,
    last: Counters,
    rates: Rates,
}

impl Meter {
    /// Takes the totals after `seconds`: IPVS's estimator (`ip_vs_est.c`), made for every
    /// 2 s: the average keeps ¾ of itself and takes ¼ of the new rate.
    pub fn tick(&mut self, now: Snapshot, seconds: f64) {
        let rate = |now: u64, last: u64| now.wrapping_sub(last) as f64 / seconds;
        let mix = |average: f64, now: u64, last: u64| average * 0.75 + rate(now, last) * 0.25;
        let (now, last, old) = (now.0, self.last, self.rates);
        self.rates = Rates {
            connections: mix(old.connections, now.connections, last.connections),
            in_packets: mix(old.in_packets, now.in_packets, last.in_packets),
            out_packets: mix(old.out_packets, now.out_packets, last.out_packets),
            in_bytes: mix(old.in_bytes, now.in_bytes, last.in_bytes),
            out_bytes: mix(old.out_bytes, now.out_bytes, last.out_bytes),
        };
        self.last = now;
    }

    /// Totals start from these, and rates from nothing.
    pub fn start(&mut self, now: Snapshot) {
        *self = Self {
            last: now.0,
            ..Self::default()
        };
    }

    /// Totals are shown from these on (`-Z`).
    pub fn zero(&mut self, now: Snapshot) {
        self.zero = now.0;
    }

    /// What to show of these totals.
    #[must_use]
    pub fn counters(&self, now: Snapshot) -> Counters {
        let (now, zero) = (now.0, self.zero);
        Counters {
            connections: now.connections.wrapping_sub(zero.connections),
            in_packets: now.in_packets.wrapping_sub(zero.in_packets),
            out_packets: now.out_packets.wrapping_sub(zero.out_packets),
            in_bytes: now.in_bytes.wrapping_sub(zero.in_bytes),
            out_bytes: now.out_bytes.wrapping_sub(zero.out_bytes),
        }
    }

    /// Smoothed rates.
    #[must_use]
    pub fn rates(&self) -> Rates {
        self.rates
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn total(connections: u64) -> Snapshot {
        Snapshot::of(&[
            Stats {
                connections: connections / 2,
                ..Stats::default()
            },
            Stats {
                connections: connections - connections / 2,
                ..Stats::default()
            },
        ])
    }

    #[test]
    fn a_steady_rate_is_reached_and_zeroing_leaves_it() {
        let mut meter = Meter::default();
        meter.start(total(1000));
        for i in 1..=40 {
            meter.tick(total(1000 + i * 200), 2.0);
        }
        assert!((meter.rates().connections - 100.0).abs() < 0.1);
        meter.zero(total(9000));
        assert_eq!(meter.counters(total(9007)).connections, 7);
        assert!(meter.rates().connections > 99.0);
    }
}
