//! Nodes that go and come, and connections that break.

use std::time::{Duration, Instant};

use bytes::Bytes;
use ssi_ics::core::CallError;

use crate::net::{Net, echo, is_down};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_leaves_the_view_is_cut_at_once() {
    let mut net = Net::of(3).await;
    let pending: Vec<_> = (0..100)
        .map(|_| tokio::spawn(net.ics(1).call(2, "never", 0, Bytes::new()).into_future()))
        .collect();
    let other = tokio::spawn(net.ics(1).call(3, "slow", 100, Bytes::new()).into_future());
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(
        pending.iter().all(|call| !call.is_finished()),
        "none before"
    );
    net.epoch += 1;
    let start = Instant::now();
    net.ics(1).peers(net.view_of(1, &[1, 3]));
    let installed = start.elapsed();
    assert_eq!(net.ics(1).report().peers[&2].stats.pending, 0);
    for call in pending {
        assert!(is_down(&call.await.unwrap(), 2, net.epoch));
    }
    let heard = start.elapsed();
    assert!(
        heard < Duration::from_millis(500),
        "{installed:?}, {heard:?}"
    );
    let report = net.ics(1).report();
    assert!(
        report.peers[&2]
            .stats
            .lanes
            .iter()
            .all(|lane| !lane.connected)
    );
    assert_eq!(report.peers[&2].incarnation, None);
    let call = net.ics(1).call(2, "echo", 0, Bytes::new()).await;
    assert!(is_down(&call, 2, net.epoch));
    // Nothing of it is delivered, though it still has the other in its view.
    let call = net.ics(2).call(1, "echo", 0, Bytes::new());
    let unheard = call.deadline(Duration::from_millis(100)).await;
    assert_eq!(unheard, Err(CallError::Deadline));
    other.await.unwrap().unwrap();
    echo(net.ics(1), 3, b"goes on").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restarted_node_is_reached_again() {
    for restarted in [1, 2] {
        let mut net = Net::of(2).await;
        let other = 3 - restarted;
        let call = net.ics(other).call(restarted, "never", 0, Bytes::new());
        let pending = tokio::spawn(call.into_future());
        tokio::time::sleep(Duration::from_millis(20)).await;
        net.ics(restarted).stop();
        tokio::time::sleep(Duration::from_millis(20)).await;
        net.start(restarted, 2).await;
        assert!(!pending.is_finished(), "only the view ends it");
        net.view();
        assert!(is_down(&pending.await.unwrap(), restarted, net.epoch));
        net.wait_connected().await;
        echo(net.ics(other), restarted, b"again").await;
        echo(net.ics(restarted), other, b"again").await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn broken_connections_lose_nothing() {
    let net = Net::of(2).await;
    let ics = net.ics(1).clone();
    let calls: Vec<_> = (0..2000_u32)
        .map(|number| {
            let body = Bytes::copy_from_slice(&number.to_le_bytes());
            tokio::spawn(ics.call(2, "slow", 1, body).into_future())
        })
        .collect();
    for _ in 0..20 {
        break_connections(&net);
        tokio::time::sleep(Duration::from_millis(15)).await;
    }
    for (number, call) in (0_u32..).zip(calls) {
        let reply = tokio::time::timeout(Duration::from_secs(30), call).await;
        assert_eq!(reply.unwrap().unwrap().unwrap(), &number.to_le_bytes()[..]);
    }
    let stats = net.ics(1).report().peers[&2].stats;
    assert!(stats.lanes[0].connections > 5, "{stats:?}");
    assert_eq!(stats.broken, 0);
}

/// Makes one end close all its connections, in the midst of whatever they carry: a changed
/// address in the view does that, and the next view has the right one again.
fn break_connections(net: &Net) {
    let mut view = net.view_of(1, &[1, 2]);
    let peer = view.peers.get_mut(&2).unwrap();
    peer.fingerprint[0] ^= 1;
    net.ics(1).peers(view);
    net.ics(1).peers(net.view_of(1, &[1, 2]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_reborn_without_a_restart_begins_anew() {
    let mut net = Net::of(2).await;
    let call = net.ics(1).call(2, "never", 0, Bytes::new());
    let pending = tokio::spawn(call.into_future());
    tokio::time::sleep(Duration::from_millis(20)).await;
    // It was put out of the view, and has joined again.
    if let Some((_, incarnation)) = net.nodes.get_mut(&1) {
        *incarnation = 2;
    }
    net.view();
    assert!(is_down(&pending.await.unwrap(), 2, net.epoch));
    net.wait_connected().await;
    echo(net.ics(1), 2, b"anew").await;
    echo(net.ics(2), 1, b"anew").await;
}
