//! Internode communication, as the control socket shows it; pings.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use ssi_abi::counter;
use ssi_abi::member::{LARGEST_NODE, peer_lane};
use ssi_api::control::{Counted, Failure, Reply};
use ssi_api::ics::{IcsView, LanePing, LaneView, PeerView, Ping, Quantiles};
use ssi_clms::core::{NodeId, Number, View};
use ssi_clms::runner::{Ask, Heard, Probes, clock};
use ssi_ics::core::Lane;
use ssi_ics::runner::{PORT, RemoteReport, RoundTrips};
use ssi_loader::map::Maps;
use tokio::time::timeout;

use super::join::{internal, refused};
use super::{Cluster, Member};
use crate::data_path;

/// How long an answer may take.
const LATE: Duration = Duration::from_secs(2);
/// Most pings of one request.
const MOST_PINGS: u32 = 1_000;
/// Most bytes of one.
const MOST_BYTES: u32 = 65_536;
/// The first of the counters that are about membership.
const FENCE: u32 = counter::PROBE_REFLECTED;

impl Cluster {
    pub(super) async fn ics(&self) -> Result<Reply, Failure> {
        let member = self.in_cluster()?;
        let view = member.handle.views().borrow().clone();
        let report = member.ics.report();
        let shown = data_path::with(&self.world.data_path, move |path| {
            let maps = path.maps().clone();
            let counters = path.counters()?;
            Ok((maps, counters))
        });
        let (maps, counters) = shown.await.map_err(|e| internal(&e))?;
        let fence = (FENCE..).zip(counters.into_iter().skip(FENCE as usize));
        let peers = report.peers.iter();
        Ok(Reply::Ics(Box::new(IcsView {
            node: report.node,
            security: member.kept().security,
            port: PORT,
            peers: peers
                .filter_map(|(node, report)| peer(*node, report, &view, &maps))
                .collect(),
            refused: self.refusals(&member, report.refused.clone()),
            fence: fence
                .map(|(_, counted)| counted)
                .filter(|counted: &Counted| counted.count > 0)
                .collect(),
        })))
    }

    pub(super) async fn ping(&self, node: u16, count: u32, bytes: u32) -> Result<Reply, Failure> {
        let member = self.in_cluster()?;
        if !(1..=MOST_PINGS).contains(&count) || bytes > MOST_BYTES {
            return Err(refused(format!(
                "1 to {MOST_PINGS} pings of at most {MOST_BYTES} bytes, not {count} of {bytes}"
            )));
        }
        let view = member.handle.views().borrow().clone();
        let to = Number::new(node).and_then(|number| view.current(number));
        let Some(to) = to else {
            return Err(refused(format!("node {node} is no member now")));
        };
        if node == member.kept().number {
            return Err(refused(format!("node {node} is this one")));
        }
        let (reflected, lost) = member
            .reflections(&view, to, count)
            .await
            .map_err(|e| internal(&e.into()))?;
        let mut lanes = Vec::new();
        for lane in Lane::ALL {
            // Replies have no calls of their own.
            if matches!(lane, Lane::Calls(_) | Lane::Bulk) {
                lanes.push(member.lane(node, lane, count, bytes).await);
            }
        }
        Ok(Reply::Ping(Box::new(Ping {
            node,
            reflected,
            lost,
            lanes,
        })))
    }
}

impl Cluster {
    /// Whom nobody knows and who was refused, at the door and by remote execution too.
    fn refusals(
        &self,
        member: &Member,
        mut refused: BTreeMap<String, u64>,
    ) -> BTreeMap<String, u64> {
        for (reason, count) in member.door.refused() {
            refused.insert(format!("at the door: {reason}"), count);
        }
        for (reason, count) in self.remote.refused() {
            refused.insert(reason.to_owned(), count);
        }
        refused
    }
}

impl Member {
    /// Probes that the other kernel sends back.
    async fn reflections(
        &self,
        view: &View,
        to: NodeId,
        count: u32,
    ) -> std::io::Result<(Quantiles, u32)> {
        let kept = self.kept();
        let own = Number::new(kept.number).and_then(|number| view.current(number));
        let (Some(own), Some(address)) = (own, kept.addresses.first()) else {
            return Ok((Quantiles::default(), count));
        };
        let mut probes = Probes::apart(*address)?;
        probes.writable().await;
        let mut times = times();
        let mut lost = 0;
        for _ in 0..count {
            let start = Instant::now();
            let nonce = clock::now().0;
            let ask = Ask {
                to,
                nonce,
                grant: None,
                supervisor: false,
                old_key: false,
            };
            probes.send(view, own, ask, Duration::ZERO);
            let back = timeout(LATE, async {
                loop {
                    probes.readable().await;
                    while let Some(heard) = probes.next(view, own) {
                        if let Heard::Reflection(back) = heard
                            && back.nonce == nonce
                        {
                            return;
                        }
                    }
                }
            });
            match back.await {
                Ok(()) => note(&mut times, start.elapsed()),
                Err(_) => lost += 1,
            }
        }
        Ok((quantiles(&times), lost))
    }

    async fn lane(&self, node: u16, lane: Lane, count: u32, bytes: u32) -> LanePing {
        let mut times = times();
        let mut failure = None;
        for _ in 0..count {
            match self.ics.ping(node, lane, bytes as usize, LATE).await {
                Ok(took) => note(&mut times, took),
                Err(error) => {
                    failure = Some(error.to_string());
                    break;
                }
            }
        }
        LanePing {
            lane: lane.to_string(),
            round_trips: quantiles(&times),
            failure,
        }
    }
}

fn times() -> Histogram<u64> {
    // Up to a minute, of which three digits are right.
    Histogram::new_with_bounds(1, 60_000_000_000, 3).expect("these bounds go together")
}

fn note(times: &mut Histogram<u64>, took: Duration) {
    times.saturating_record(u64::try_from(took.as_nanos()).unwrap_or(u64::MAX));
}

fn quantiles(times: &Histogram<u64>) -> Quantiles {
    if times.is_empty() {
        return Quantiles::default();
    }
    let micros = |nanos: u64| nanos as f64 / 1_000.0;
    Quantiles {
        count: times.len(),
        min: micros(times.min()),
        p50: micros(times.value_at_quantile(0.5)),
        p90: micros(times.value_at_quantile(0.9)),
        p99: micros(times.value_at_quantile(0.99)),
        max: micros(times.max()),
    }
}

fn peer(node: u16, report: &RemoteReport, view: &View, maps: &Maps) -> Option<PeerView> {
    let known = view.members.get(&Number::new(node)?)?;
    let lanes = Lane::ALL.into_iter();
    Some(PeerView {
        node,
        name: known.candidate.name.clone(),
        address: *known.candidate.addresses.first()?,
        incarnation: report.incarnation,
        lanes: lanes.map(|at| lane(node, at, report, maps)).collect(),
        refused: report.refused.clone(),
    })
}

fn lane(node: u16, lane: Lane, report: &RemoteReport, maps: &Maps) -> LaneView {
    let stats = &report.stats.lanes[lane.index()];
    let RoundTrips {
        count,
        min,
        p50,
        p90,
        p99,
        max,
    } = report.round_trips[lane.index()];
    let node = u32::from(node).min(LARGEST_NODE);
    let kernel = maps.peer_stats.get(peer_lane(node, lane.number().into()));
    let kernel = kernel.unwrap_or_default();
    let sum = |of: fn(&ssi_abi::member::PeerStats) -> u64| kernel.iter().map(of).sum();
    LaneView {
        lane: lane.to_string(),
        connected: stats.connected,
        connections: stats.connections,
        sent_frames: stats.sent_frames,
        sent_bytes: stats.sent_bytes,
        received_frames: stats.received_frames,
        received_bytes: stats.received_bytes,
        queued_frames: stats.queued_frames,
        queued_bytes: stats.queued_bytes,
        credits: stats.credits_left,
        throttled: stats.throttled,
        round_trips: Quantiles {
            count,
            min,
            p50,
            p90,
            p99,
            max,
        },
        kernel_in_packets: sum(|of| of.in_packets),
        kernel_in_bytes: sum(|of| of.in_bytes),
        kernel_out_packets: sum(|of| of.out_packets),
        kernel_out_bytes: sum(|of| of.out_bytes),
    }
}
