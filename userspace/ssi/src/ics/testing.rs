//! A node with two peers, one of them gone.

use ssi_api::control::Counted;
use ssi_api::ics::{IcsView, LaneView, PeerView, Quantiles};

fn lane(lane: &str, calls: u64) -> LaneView {
    LaneView {
        lane: lane.to_owned(),
        connected: true,
        connections: 2,
        sent_frames: calls * 2,
        sent_bytes: calls * 1_024,
        received_frames: calls,
        received_bytes: calls * 512,
        credits: Some(64),
        round_trips: Quantiles {
            count: calls,
            min: 20.0,
            p50: 31.5,
            p90: 60.0,
            p99: 140.0,
            max: 2_500.0,
        },
        kernel_in_packets: calls,
        kernel_in_bytes: calls * 600,
        ..LaneView::default()
    }
}

pub(crate) fn view() -> IcsView {
    let mut bulk = lane("bulk", 0);
    bulk.credits = None;
    bulk.connected = false;
    let mut full = lane("priority-1", 3);
    full.credits = Some(0);
    full.throttled = 7;
    full.queued_frames = 5;
    full.queued_bytes = 2_048;
    IcsView {
        node: 2,
        security: "tls".to_owned(),
        port: 7117,
        peers: vec![
            PeerView {
                node: 1,
                name: "blue1".to_owned(),
                address: "10.77.0.1".parse().unwrap(),
                incarnation: Some(3),
                lanes: vec![lane("priority-0", 1_000), full, bulk],
                refused: [("reset".to_owned(), 2), ("wrong epoch".to_owned(), 1)].into(),
            },
            PeerView {
                node: 3,
                name: "blue3".to_owned(),
                address: "fd77::3".parse().unwrap(),
                incarnation: None,
                lanes: Vec::new(),
                refused: [].into(),
            },
        ],
        refused: [("wrong certificate".to_owned(), 4)].into(),
        fence: vec![
            Counted {
                name: "fence: no member".to_owned(),
                count: 12,
                drop: true,
            },
            Counted {
                name: "fence: passed".to_owned(),
                count: 9_000,
                drop: false,
            },
        ],
    }
}
