//! What went over a lane, and how fast.

use std::collections::BTreeMap;
use std::ops::AddAssign;
use std::time::Duration;

use ssi_api::ics::{IcsView, LaneView, PeerView};

use crate::units::bytes;

/// Frames and bytes both ways.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Traffic {
    sent_frames: u64,
    sent_bytes: u64,
    received_frames: u64,
    received_bytes: u64,
}

impl From<&LaneView> for Traffic {
    fn from(lane: &LaneView) -> Self {
        Self {
            sent_frames: lane.sent_frames,
            sent_bytes: lane.sent_bytes,
            received_frames: lane.received_frames,
            received_bytes: lane.received_bytes,
        }
    }
}

impl AddAssign for Traffic {
    fn add_assign(&mut self, more: Self) {
        self.sent_frames += more.sent_frames;
        self.sent_bytes += more.sent_bytes;
        self.received_frames += more.received_frames;
        self.received_bytes += more.received_bytes;
    }
}

impl Traffic {
    /// Of all lanes of a peer.
    pub(crate) fn total(peer: &PeerView) -> Self {
        let mut total = Self::default();
        for lane in &peer.lanes {
            total += lane.into();
        }
        total
    }

    /// What came since `before`, a second. Counts that went back began again.
    fn since(self, before: Self, time: Duration) -> Self {
        let rate = |now: u64, before: u64| {
            let count = now.checked_sub(before).unwrap_or(now);
            // Saturates, and time that is too short to measure makes no rate.
            if time.is_zero() {
                return 0;
            }
            (count as f64 / time.as_secs_f64()).round() as u64
        };
        Self {
            sent_frames: rate(self.sent_frames, before.sent_frames),
            sent_bytes: rate(self.sent_bytes, before.sent_bytes),
            received_frames: rate(self.received_frames, before.received_frames),
            received_bytes: rate(self.received_bytes, before.received_bytes),
        }
    }

    /// As four cells: bytes and frames sent, bytes and frames received.
    pub(crate) fn cells(self) -> [String; 4] {
        [
            bytes(self.sent_bytes),
            self.sent_frames.to_string(),
            bytes(self.received_bytes),
            self.received_frames.to_string(),
        ]
    }
}

/// What the cells are called.
pub(crate) const fn titles(rates: bool) -> [&'static str; 4] {
    if rates {
        ["SENT/S", "FRAMES/S", "RECEIVED/S", "FRAMES/S"]
    } else {
        ["SENT", "FRAMES", "RECEIVED", "FRAMES"]
    }
}

/// Traffic a second, by node and lane.
pub(crate) struct Rates(BTreeMap<(u16, String), Traffic>);

impl Rates {
    /// What went between two looks that were `time` apart.
    pub(crate) fn between(before: &IcsView, now: &IcsView, time: Duration) -> Self {
        let old: BTreeMap<_, _> = lanes(before).collect();
        let rates = lanes(now).map(|(lane, traffic)| {
            let before = old.get(&lane).copied().unwrap_or_default();
            (lane, traffic.since(before, time))
        });
        Self(rates.collect())
    }

    /// Of a lane.
    pub(crate) fn lane(&self, node: u16, lane: &str) -> Traffic {
        self.0
            .get(&(node, lane.to_owned()))
            .copied()
            .unwrap_or_default()
    }

    /// Of all lanes of a peer.
    pub(crate) fn peer(&self, node: u16) -> Traffic {
        let mut total = Traffic::default();
        for ((of, _), traffic) in &self.0 {
            if *of == node {
                total += *traffic;
            }
        }
        total
    }
}

fn lanes(view: &IcsView) -> impl Iterator<Item = ((u16, String), Traffic)> {
    view.peers.iter().flat_map(|peer| {
        peer.lanes
            .iter()
            .map(|lane| ((peer.node, lane.lane.clone()), lane.into()))
    })
}

#[cfg(test)]
mod tests {
    use super::super::testing::view;
    use super::*;

    #[test]
    fn a_second_of_it() {
        let before = view();
        let mut now = view();
        now.peers[0].lanes[0].sent_frames += 100;
        now.peers[0].lanes[0].sent_bytes += 1 << 20;
        // ssid restarted there: this lane's counts began again.
        now.peers[0].lanes[1].received_frames = 2;
        let rates = Rates::between(&before, &now, Duration::from_millis(500));
        assert_eq!(
            rates.lane(1, "priority-0").cells(),
            ["2.0 MiB", "200", "0 B", "0"]
        );
        assert_eq!(rates.lane(1, "priority-1").received_frames, 4);
        assert_eq!(rates.peer(1).sent_frames, 200);
        assert_eq!(rates.peer(3), Traffic::default());
        let never = Rates::between(&before, &now, Duration::ZERO);
        assert_eq!(never.peer(1), Traffic::default());
    }
}
