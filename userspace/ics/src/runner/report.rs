//! What can be shown of internode communication.

use std::collections::BTreeMap;

use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};

use crate::core::stats::PeerStats;
use crate::core::{Lane, Node};

/// Round trips of calls: from when they were given to their lane to their reply, the
/// handler's time included. Microseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RoundTrips {
    /// How many.
    pub count: u64,
    /// The shortest.
    pub min: f64,
    /// Half are shorter.
    pub p50: f64,
    /// 90 of 100 are shorter.
    pub p90: f64,
    /// 99 of 100 are shorter.
    pub p99: f64,
    /// The longest.
    pub max: f64,
}

impl RoundTrips {
    /// Of a histogram of nanoseconds.
    pub(super) fn of(histogram: &Histogram<u64>) -> Self {
        let micros = |nanos: u64| nanos as f64 / 1000.0;
        Self {
            count: histogram.len(),
            min: micros(histogram.min()),
            p50: micros(histogram.value_at_quantile(0.5)),
            p90: micros(histogram.value_at_quantile(0.9)),
            p99: micros(histogram.value_at_quantile(0.99)),
            max: micros(histogram.max()),
        }
    }
}

/// One other node.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RemoteReport {
    /// Which life of it is up; none: it is down.
    pub incarnation: Option<u32>,
    /// What its engine counts.
    pub stats: PeerStats,
    /// Round trips, by the lane of the call.
    pub round_trips: [RoundTrips; Lane::COUNT],
    /// Connections that did not come about or were given up, by reason.
    pub refused: BTreeMap<String, u64>,
}

/// All of it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// This node.
    pub node: Node,
    /// The others.
    pub peers: BTreeMap<Node, RemoteReport>,
    /// Connections that nobody known has made, by the reason why they were refused.
    pub refused: BTreeMap<String, u64>,
    /// Connections that were accepted on another thread than serves their lane, and handed
    /// over; 0 where the kernel knows which lane is whose.
    pub handed_over: u64,
}
