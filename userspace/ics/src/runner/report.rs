//! What can be shown of internode communication.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;

use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};

use super::Ics;
use super::ics::read;
use super::remote::{Engine, lock};
use crate::core::stats::{PeerStats, ServiceStats};
use crate::core::{Lane, Moment, Node};

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

/// Whether a lane has a connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LaneState {
    /// It has.
    pub connected: bool,
    /// Seconds since it came, or went, or was first wanted.
    pub since: f64,
}

/// What this node asks one service of the other for, on one lane.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ServiceReport {
    /// Its name, if this node has it too, else its number.
    pub service: String,
    /// What is counted.
    pub stats: ServiceStats,
}

/// One other node.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RemoteReport {
    /// Which life of it is up; none: it is down.
    pub incarnation: Option<u32>,
    /// The lanes' connections.
    pub lanes: [LaneState; Lane::COUNT],
    /// What its engine counts.
    pub stats: PeerStats,
    /// Services of it that were called in this session, on each lane.
    pub services: Vec<ServiceReport>,
    /// Round trips, by the lane of the call.
    pub round_trips: [RoundTrips; Lane::COUNT],
    /// Connections that did not come about or were given up, by reason.
    pub refused: BTreeMap<String, u64>,
}

/// All of it. Counts only grow, so that the difference of two reports is a rate.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// This node.
    pub node: Node,
    /// Seconds since it began: the counts' time.
    pub uptime: f64,
    /// The others.
    pub peers: BTreeMap<Node, RemoteReport>,
    /// Connections that nobody known has made, by the reason why they were refused.
    pub refused: BTreeMap<String, u64>,
    /// Connections that were accepted on another thread than serves their lane, and handed
    /// over; 0 where the kernel knows which lane is whose.
    pub handed_over: u64,
}

impl Ics {
    /// What can be shown.
    #[must_use]
    pub fn report(&self) -> Report {
        let shared = &self.shared;
        let refusals = lock(&shared.refusals);
        let peers = read(&shared.remotes)
            .iter()
            .map(|(node, remote)| {
                let mut report = remote.look(|engine| report(engine, shared.now()));
                report.refused = refusals.of(Some(*node));
                let services = read(&shared.services);
                for called in &mut report.services {
                    if let Some(name) = services.name(called.stats.service) {
                        name.clone_into(&mut called.service);
                    }
                }
                (*node, report)
            })
            .collect();
        Report {
            node: shared.config.node,
            uptime: shared.now().as_secs_f64(),
            peers,
            refused: refusals.of(None),
            handed_over: shared.handed_over.load(Ordering::Relaxed),
        }
    }
}

fn report(engine: &Engine, now: Moment) -> RemoteReport {
    let stats = engine.peer.stats();
    let called = engine.peer.service_stats();
    RemoteReport {
        incarnation: engine.peer.incarnation(),
        lanes: Lane::ALL.map(|lane| LaneState {
            connected: stats.lanes[lane.index()].connected,
            since: now.saturating_sub(engine.since[lane.index()]).as_secs_f64(),
        }),
        stats,
        services: called
            .map(|stats| ServiceReport {
                service: format!("{:#06x}", stats.service),
                stats,
            })
            .collect(),
        round_trips: Lane::ALL.map(|lane| {
            let histogram = engine.round_trips[lane.index()].as_ref();
            histogram.map(RoundTrips::of).unwrap_or_default()
        }),
        refused: BTreeMap::new(),
    }
}
