//! How long things may take.

use std::time::Duration;

/// The durations that membership is made of. All nodes of a cluster use the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Timing {
    /// The master, while it is quiet, is probed this often by all its observers together; and
    /// so is everybody while there is no master.
    pub probe: Duration,
    /// Any other quiet node is probed this often by all its observers together: the master's
    /// renewals of its lease come back like probes, and miss it sooner.
    pub calm: Duration,
    /// A probe that is not reflected within this time counts as missed, and the next one
    /// goes out.
    pub burst: Duration,
    /// How long the cut waits for more nodes to fail together with the first.
    pub settle: Duration,
    /// How long the cut waits at most for nodes that only some observers find dead.
    pub patience: Duration,
    /// How long a lease lasts.
    pub lease: Duration,
    /// How long a master may act after a majority of the voters last confirmed it; for as
    /// long they elect nobody else.
    pub mastery: Duration,
    /// How long the master's own lease lasts after a majority of the voters last confirmed
    /// it. Longer than `mastery`, so that one whose `ssid` has died is still in its lease
    /// when the next master is there to renew it.
    pub own: Duration,
    /// How often the master renews each lease. A renewal that brings nothing back is
    /// repeated after a quarter of that.
    pub renew: Duration,
    /// How much faster or slower than real time a clock may run, in parts of a million.
    pub drift_ppm: u32,
    /// How often an unanswered message is repeated, and how often a member tells the master
    /// how far it is while something is under way.
    pub report: Duration,
    /// How often it does while all is quiet.
    pub quiet: Duration,
    /// How often the supervisor of a node, its `ssid`, is asked by all its observers
    /// together whether it still runs.
    pub supervise: Duration,
    /// How long a voter may be gone before another member takes its place.
    pub revote: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            probe: Duration::from_millis(400),
            calm: Duration::from_secs(1),
            burst: Duration::from_millis(50),
            settle: Duration::from_millis(100),
            patience: Duration::from_millis(1_000),
            lease: Duration::from_millis(1_200),
            mastery: Duration::from_millis(280),
            own: Duration::from_millis(1_000),
            renew: Duration::from_millis(300),
            drift_ppm: 1_000,
            report: Duration::from_millis(500),
            quiet: Duration::from_secs(4),
            supervise: Duration::from_secs(1),
            revote: Duration::from_secs(10),
        }
    }
}

impl Timing {
    /// Observers of a node among `nodes`: 10, or all others.
    #[must_use]
    pub const fn observers(nodes: usize) -> usize {
        let others = nodes.saturating_sub(1);
        if others < MOST_OBSERVERS {
            others
        } else {
            MOST_OBSERVERS
        }
    }

    /// How often one of `observers` probes a quiet node; whether nobody renews its lease.
    #[must_use]
    pub fn idle(&self, observers: usize, alone: bool) -> Duration {
        let together = if alone { self.probe } else { self.calm };
        together * u32::try_from(observers.max(1)).unwrap_or(1)
    }

    /// Probes in a row that one of `observers` must miss before it says that the node is
    /// dead. With a tenth of all packets lost each way, 19 probes of 100 are missed, five
    /// in a row 2.5 times of 10,000; where few observers have to agree, each must be surer.
    #[must_use]
    pub const fn misses(observers: usize) -> u32 {
        match observers {
            0 | 1 => 9,
            2 => 6,
            _ => 5,
        }
    }

    /// How long a promise of `span` surely lasts on any clock.
    #[must_use]
    pub fn surely(&self, span: Duration) -> Duration {
        span - span * 2 * self.drift_ppm / 1_000_000
    }

    /// How long a lease of `span` may seem to last on the slowest clock.
    #[must_use]
    pub fn on_any_clock(&self, span: Duration) -> Duration {
        span + span * 2 * self.drift_ppm / 1_000_000
    }
}

/// K of the cut detector (Suresh et al., "Stable and Consistent Membership at Scale with
/// Rapid", USENIX ATC 2018).
pub const MOST_OBSERVERS: usize = 10;
