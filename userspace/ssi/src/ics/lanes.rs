use ssi_api::ics::{IcsView, LaneView, PeerView};

use super::peers::quantiles;
use super::traffic::{Rates, titles};
use crate::output;
use crate::units::bytes;

/// A row a lane.
pub(crate) fn lanes(view: &IcsView, rates: Option<&Rates>) -> String {
    let [sent, sent_frames, received, received_frames] = titles(rates.is_some());
    let rows = view
        .peers
        .iter()
        .flat_map(|peer| peer.lanes.iter().map(move |lane| row(peer, lane, rates)));
    output::table(
        [
            "PEER",
            "LANE",
            "CONNECTED",
            sent,
            sent_frames,
            received,
            received_frames,
            "QUEUED",
            "CREDITS",
            "THROTTLED",
            "CALLS",
            "P50",
            "P90",
            "P99",
            "MAX",
            "KERNEL IN",
            "KERNEL OUT",
        ],
        rows.collect(),
    )
}

fn row(peer: &PeerView, lane: &LaneView, rates: Option<&Rates>) -> [String; 17] {
    let traffic = rates.map_or_else(|| lane.into(), |rates| rates.lane(peer.node, &lane.lane));
    let [sent, sent_frames, received, received_frames] = traffic.cells();
    let [p50, p90, p99, max] = quantiles(
        Some(lane.round_trips),
        [|q| q.p50, |q| q.p90, |q| q.p99, |q| q.max],
    );
    let connected = match (lane.connected, lane.connections) {
        (true, 0 | 1) => "yes".to_owned(),
        (true, times) => format!("yes, {times} times"),
        (false, _) => "no".to_owned(),
    };
    [
        format!("{} {}", peer.node, peer.name),
        lane.lane.clone(),
        connected,
        sent,
        sent_frames,
        received,
        received_frames,
        format!("{} in {}", bytes(lane.queued_bytes), lane.queued_frames),
        lane.credits
            .map_or_else(|| "-".to_owned(), |credits| credits.to_string()),
        lane.throttled.to_string(),
        lane.round_trips.count.to_string(),
        p50,
        p90,
        p99,
        max,
        format!(
            "{} in {}",
            bytes(lane.kernel_in_bytes),
            lane.kernel_in_packets
        ),
        format!(
            "{} in {}",
            bytes(lane.kernel_out_bytes),
            lane.kernel_out_packets
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::super::testing::view;
    use super::super::text;

    #[test]
    fn a_line_a_lane() {
        assert_eq!(
            text(&view(), None, true),
            "\
this node  2, port 7117, tls
dropped    12 fence: no member
let in     9000 fence: passed
refused    4 wrong certificate

 PEER     LANE        CONNECTED     SENT      FRAMES  RECEIVED  FRAMES  QUEUED        CREDITS  THROTTLED  CALLS  P50      P90      P99     MAX      KERNEL IN        KERNEL OUT
 1 blue1  priority-0  yes, 2 times  1000 KiB  2000    500 KiB   1000    0 B in 0      64       0          1000   31.5 µs  60.0 µs  140 µs  2.50 ms  586 KiB in 1000  0 B in 0
 1 blue1  priority-1  yes, 2 times  3.0 KiB   6       1.5 KiB   3       2.0 KiB in 5  0        7          3      31.5 µs  60.0 µs  140 µs  2.50 ms  1.8 KiB in 3     0 B in 0
 1 blue1  bulk        no            0 B       0       0 B       0       0 B in 0      -        0          0      -        -        -       -        0 B in 0         0 B in 0
"
        );
    }
}
