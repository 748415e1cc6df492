//! Calls between nodes that stay.

use std::time::{Duration, Instant};

use bytes::Bytes;
use ssi_ics::core::{CallError, Lane};

use crate::net::{Net, echo, priority};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_node_can_call_every_other() {
    let net = Net::of(3).await;
    for (node, (ics, _)) in &net.nodes {
        for other in net.nodes.keys().filter(|other| *other != node) {
            echo(ics, *other, b"hello").await;
            for level in 0..4 {
                let call = ics.call(*other, "echo", 0, Bytes::from_static(b"x"));
                assert_eq!(call.priority(priority(level)).await.unwrap(), "x");
            }
        }
    }
    let peer = &net.ics(1).report().peers[&2];
    assert_eq!(peer.round_trips[0].count, 2);
    assert_eq!(peer.round_trips[3].count, 1);
    assert_eq!(peer.stats.pending, 0);
    let large = Bytes::from(vec![5; 10 << 20]);
    let reply = net.ics(3).call(1, "echo", 0, large.clone()).await;
    assert_eq!(reply.unwrap(), large);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_end_as_they_should() {
    let net = Net::of(2).await;
    let call = |service, op| net.ics(1).call(2, service, op, Bytes::new());
    assert_eq!(call("nothing", 0).await, Err(CallError::NoService));
    let failed = CallError::Failed("as it should".into());
    assert_eq!(call("fail", 0).await, Err(failed));
    let broke_off = CallError::Failed("the handler broke off".into());
    assert_eq!(call("panics", 0).await, Err(broke_off.clone()));
    assert_eq!(call("panics", 1).await, Err(broke_off));
    let start = Instant::now();
    let late = call("never", 0).deadline(Duration::from_millis(30)).await;
    assert_eq!(late, Err(CallError::Deadline));
    assert!(start.elapsed() < Duration::from_secs(30));
    let body = Bytes::from(vec![0; (16 << 20) + 1]);
    let large = net.ics(1).call(2, "echo", 0, body).await;
    assert_eq!(large, Err(CallError::TooLarge((16 << 20) + 1)));
    // Handlers hear of deadlines and of callers that go away.
    drop(call("never", 0).send().await.unwrap());
    for _ in 0..10 {
        call("echo", 0).one_way().await.unwrap();
    }
    let start = Instant::now();
    while net.ics(2).report().peers[&1].stats.serving > 0 {
        assert!(start.elapsed() < Duration::from_secs(30));
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    assert_eq!(net.ics(1).report().peers[&2].stats.pending, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nested_calls_are_raised() {
    let net = Net::of(2).await;
    let seen = net.ics(1).call(2, "nest", 5, Bytes::new()).await.unwrap();
    assert_eq!(&seen[..], [0, 1, 2, 3, 3, 3]);
    // More chains than there are credits: each level has its own.
    let ics = net.ics(1);
    let chains = (0..400).map(|_| ics.call(2, "nest", 3, Bytes::new()).into_future());
    for seen in futures::future::join_all(chains).await {
        assert_eq!(&seen.unwrap()[..], [0, 1, 2, 3]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_slow_calls_stay_bounded() {
    let net = Net::of(2).await;
    let ics = net.ics(1);
    let body = Bytes::from(vec![1; 1000]);
    let calls = (0..1000).map(|_| ics.call(2, "slow", 100, body.clone()).into_future());
    let all = tokio::spawn(futures::future::join_all(calls));
    tokio::time::sleep(Duration::from_millis(30)).await;
    let stats = ics.report().peers[&2].stats;
    let limits = net.config(1).limits;
    assert!(stats.lanes[0].waiting <= limits.waiting.calls as u64);
    assert!(stats.lanes[0].credits_used <= u64::from(limits.window));
    assert!(stats.throttled > 0 && stats.pending < 400, "{stats:?}");
    assert!(ics.would_throttle(2, "slow", priority(0)));
    assert!(!ics.would_throttle(2, "slow", priority(1)));
    let refused = ics.call(2, "slow", 0, Bytes::new()).no_wait().await;
    assert_eq!(refused, Err(CallError::Throttled));
    // Another service, and a higher priority, don't notice.
    echo(ics, 2, b"through").await;
    for reply in all.await.unwrap() {
        assert_eq!(reply.unwrap(), body);
    }
    let kept = ics.report().peers[&2].stats.lanes[Lane::Reply.index()].kept_bytes;
    assert!(kept < 1 << 20);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_lane_can_be_pinged_and_is_reported() {
    let net = Net::of(2).await;
    let ics = net.ics(1);
    let within = Duration::from_secs(30);
    let before = ics.report();
    for lane in Lane::ALL {
        for bytes in [0, 64, 200_000] {
            let took = ics.ping(2, lane, bytes, within).await.unwrap();
            assert!(took > Duration::ZERO && took < within);
        }
    }
    let never = ics.ping(3, Lane::Bulk, 1, within).await;
    assert_eq!(never, Err(CallError::NodeDown { node: 3, epoch: 0 }));
    let report = ics.report();
    assert!(report.uptime > before.uptime);
    let (peer, earlier) = (&report.peers[&2], &before.peers[&2]);
    for lane in Lane::ALL {
        let (now, then) = (
            peer.stats.lanes[lane.index()],
            earlier.stats.lanes[lane.index()],
        );
        let state = peer.lanes[lane.index()];
        assert!(state.connected && state.since > 0.0 && state.since < report.uptime);
        if matches!(lane, Lane::Reply | Lane::PriorityReply) {
            assert_eq!(now.credits_left, None);
        } else {
            assert_eq!(now.credits_left, Some(64));
            assert!(now.sent_bytes > then.sent_bytes + 200_000, "{lane}");
        }
        assert_eq!((now.queued_frames, now.queued_bytes), (0, 0));
    }
    let lanes: Vec<_> = peer
        .services
        .iter()
        .map(|called| called.stats.lane)
        .collect();
    assert_eq!(lanes, [0, 1, 2, 3, 6]);
    assert!(
        peer.services
            .iter()
            .all(|called| called.service == "ics.echo")
    );
    // All of it goes to whoever shows it.
    let round_trips = peer.round_trips.map(|trips| trips.count);
    assert_eq!(round_trips, [6, 3, 6, 3, 0, 0, 3]);
}
