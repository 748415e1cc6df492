use ssi_api::ics::{IcsView, PeerView, Quantiles};

use super::reasons;
use super::traffic::{Rates, Traffic, titles};
use crate::output;
use crate::units::{bytes, micros};

/// A row a peer.
pub(crate) fn peers(view: &IcsView, rates: Option<&Rates>) -> String {
    let [sent, sent_frames, received, received_frames] = titles(rates.is_some());
    output::table(
        [
            "PEER",
            "ADDRESS",
            "LIFE",
            "LANES",
            sent,
            sent_frames,
            received,
            received_frames,
            "QUEUED",
            "CREDITS",
            "THROTTLED",
            "P50",
            "P99",
            "REFUSED",
        ],
        view.peers.iter().map(|peer| row(peer, rates)).collect(),
    )
}

fn row(peer: &PeerView, rates: Option<&Rates>) -> [String; 14] {
    let lanes = &peer.lanes;
    let traffic = rates.map_or_else(|| Traffic::total(peer), |rates| rates.peer(peer.node));
    let [sent, sent_frames, received, received_frames] = traffic.cells();
    let connected = lanes.iter().filter(|lane| lane.connected).count();
    let least = lanes.iter().filter_map(|lane| lane.credits).min();
    let busiest = lanes
        .iter()
        .map(|lane| lane.round_trips)
        .max_by_key(|trips| trips.count);
    let [p50, p99] = quantiles(busiest, [|q| q.p50, |q| q.p99]);
    [
        format!("{} {}", peer.node, peer.name),
        peer.address.to_string(),
        peer.incarnation
            .map_or_else(|| "down".to_owned(), |life| life.to_string()),
        format!("{connected}/{}", lanes.len()),
        sent,
        sent_frames,
        received,
        received_frames,
        bytes(lanes.iter().map(|lane| lane.queued_bytes).sum()),
        least.map_or_else(|| "-".to_owned(), |least| least.to_string()),
        lanes
            .iter()
            .map(|lane| lane.throttled)
            .sum::<u64>()
            .to_string(),
        p50,
        p99,
        reasons(peer.refused.iter().map(|(why, n)| (why.as_str(), *n))),
    ]
}

/// Some of the quantiles; `-` if nothing was measured.
pub(super) fn quantiles<const N: usize>(
    trips: Option<Quantiles>,
    which: [fn(&Quantiles) -> f64; N],
) -> [String; N] {
    let trips = trips.filter(|trips| trips.count > 0);
    which.map(|which| {
        trips
            .as_ref()
            .map_or_else(|| "-".to_owned(), |trips| micros(which(trips)))
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::testing::view;
    use super::super::text;
    use super::*;

    #[test]
    fn a_line_a_peer() {
        assert_eq!(
            text(&view(), None, false),
            "\
this node  2, port 7117, tls
dropped    12 fence: no member
refused    4 wrong certificate

 PEER     ADDRESS    LIFE  LANES  SENT      FRAMES  RECEIVED  FRAMES  QUEUED   CREDITS  THROTTLED  P50      P99     REFUSED
 1 blue1  10.77.0.1  3     2/3    1003 KiB  2006    502 KiB   1003    2.0 KiB  0        7          31.5 µs  140 µs  2 reset, 1 wrong epoch
 3 blue3  fd77::3    down  0/0    0 B       0       0 B       0       0 B      -        0          -        -       -
"
        );
        let rates = Rates::between(&view(), &view(), Duration::from_secs(1));
        let table = peers(&view(), Some(&rates));
        assert!(table.contains("SENT/S"), "{table}");
        assert!(!table.contains("1003"), "{table}");
    }
}
