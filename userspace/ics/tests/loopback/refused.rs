//! Those who are not to be listened to.

use std::io::{Read, Write};
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use bytes::Bytes;
use ssi_ics::core::frame::SharedKey;
use ssi_ics::runner::{Fingerprint, Identity, Security};

use crate::net::{Net, echo};

pub(crate) fn mac(node: u16) -> Security {
    // Node 3 has another key.
    let key = SharedKey([if node == 3 { 3 } else { 1 }; 16]);
    Security::Mac { key }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_the_key_nobody_is_heard() {
    let mut net = Net::new(mac, |_| [0; 32]);
    for node in 1..=2 {
        net.start(node, 1).await;
    }
    net.view();
    net.wait_connected().await;
    echo(net.ics(1), 2, b"tagged").await;
    let large = Bytes::from(vec![9; 1 << 20]);
    assert_eq!(
        net.ics(2).call(1, "echo", 0, large.clone()).await,
        Ok(large)
    );
    net.start(3, 1).await;
    net.view();
    let reply = net.ics(3).call(1, "echo", 0, Bytes::new());
    assert!(reply.deadline(Duration::from_millis(300)).await.is_err());
    let peer = &net.ics(1).report().peers[&3];
    assert!(peer.stats.lanes.iter().all(|lane| lane.connections == 0));
    assert!(!peer.refused.is_empty());
    // The one that is dialled is the first to see a tag.
    let peer = &net.ics(3).report().peers[&1];
    assert!(peer.refused["frame"] > 0, "{peer:?}");
    echo(net.ics(1), 2, b"undisturbed").await;
}

/// A connection from an address, whoever that belongs to.
fn connect(from: IpAddr, to: SocketAddr) -> TcpStream {
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None);
    let socket = socket.unwrap();
    socket.bind(&SocketAddr::new(from, 0).into()).unwrap();
    socket.connect(&to.into()).unwrap();
    socket.into()
}

/// Hundreds of connections from one node's address that say nothing: few of them are kept,
/// and another node gets through meanwhile.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_of_connections_is_bounded_and_disturbs_nobody() {
    const MANY: usize = 300;
    let mut net = Net::new(|_| Security::None, |_| [0; 32]);
    for node in [1, 3] {
        net.start(node, 1).await;
    }
    net.view();
    net.wait_connected().await;
    let (from, to) = (net.address(1).ip(), net.address(3));
    let flood: Vec<_> = (0..MANY).map(|_| connect(from, to)).collect();
    let flooded = || {
        let refused = net.ics(3).report().refused;
        refused.get("flood").copied().unwrap_or_default()
    };
    // Two listeners let 32 in each; a port in eight or so is none of any lane, and who gets
    // which port is chance.
    let start = Instant::now();
    while flooded() < MANY as u64 / 2 - 64 {
        assert!(start.elapsed() < Duration::from_secs(30), "{}", flooded());
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    net.start(2, 1).await;
    net.view();
    net.wait_connected().await;
    echo(net.ics(2), 3, b"through").await;
    echo(net.ics(1), 3, b"undisturbed").await;
    drop(flood);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn strangers_and_noise_are_counted() {
    let net = Net::of(2).await;
    let refused = |node: u16| net.ics(node).report().refused;
    // From an address that the view doesn't have, and from one that it has.
    for from in [[127, 0, 0, 1], [127, 117, 0, 0]] {
        let address = net.address(2);
        let from = if from[1] == 117 {
            net.address(1).ip()
        } else {
            from.into()
        };
        let mut stream = connect(from, address);
        let _ = stream.write_all(&[0xff; 4096]);
        stream
            .set_read_timeout(Some(Duration::from_secs(30)))
            .unwrap();
        let closed = stream.read(&mut [0; 16]);
        assert!(closed.is_err() || closed.is_ok_and(|count| count == 0));
    }
    let start = Instant::now();
    while refused(2).len() < 2 {
        assert!(
            start.elapsed() < Duration::from_secs(30),
            "{:?}",
            refused(2)
        );
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(refused(2)["stranger"], 1);
    echo(net.ics(1), 2, b"undisturbed").await;
}

/// The keys of nodes 1 to 3; what node 4 has is none of the view's.
static KEYS: LazyLock<[Identity; 4]> =
    LazyLock::new(|| std::array::from_fn(|_| Identity::generate().unwrap()));

pub(crate) fn tls(node: u16) -> Security {
    Security::Tls(KEYS[usize::from(node) - 1].clone())
}

pub(crate) fn fingerprint(node: u16) -> Fingerprint {
    KEYS[usize::from(node) - 1].fingerprint()
}

/// The view has other keys for nodes 1 and 3 than they use.
fn other_key(node: u16) -> Fingerprint {
    match node {
        2 => fingerprint(2),
        _ => fingerprint(4),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodes_with_the_keys_of_the_view_talk() {
    let mut net = Net::new(tls, fingerprint);
    for node in 1..=3 {
        net.start(node, 1).await;
    }
    net.view();
    net.wait_connected().await;
    echo(net.ics(1), 2, b"sealed").await;
    echo(net.ics(3), 1, b"sealed").await;
    let large = Bytes::from(vec![9; 3 << 20]);
    assert_eq!(
        net.ics(2).call(3, "echo", 0, large.clone()).await,
        Ok(large)
    );
    let call = net.ics(1).call(2, "sum", 0, Bytes::new());
    let (mut stream, reply) = call.stream().await.unwrap();
    stream.send(Bytes::from(vec![1; 10 << 20])).await.unwrap();
    stream.finish().await.unwrap();
    assert_eq!(
        reply.wait().await.unwrap()[8..],
        (10_u64 << 20).to_le_bytes()
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_key_than_the_views_is_refused_by_both_ends() {
    let mut net = Net::new(tls, other_key);
    for node in 1..=3 {
        net.start(node, 1).await;
    }
    net.view();
    // Node 2 refuses the key of 1, which dials; and, dialling, that of 3.
    for (from, to) in [(1, 2), (2, 1), (2, 3), (3, 2)] {
        let call = net.ics(from).call(to, "echo", 0, Bytes::new());
        assert!(call.deadline(Duration::from_millis(200)).await.is_err());
    }
    for (node, (ics, _)) in &net.nodes {
        for (other, peer) in ics.report().peers {
            let made = peer.stats.lanes.iter().map(|lane| lane.connections);
            assert_eq!(made.sum::<u64>(), 0, "{node} with {other}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_cannot_pass_for_another() {
    // In the view all is in order, but node 2 uses the key of node 1 to pass for it.
    let mut net = Net::new(|node| tls(if node == 2 { 1 } else { node }), fingerprint);
    for node in 1..=3 {
        net.start(node, 1).await;
    }
    net.view();
    echo(net.ics(1), 3, b"honest").await;
    let call = net.ics(2).call(3, "echo", 0, Bytes::new());
    assert!(call.deadline(Duration::from_millis(200)).await.is_err());
    let report = net.ics(3).report();
    assert_eq!(report.peers[&2].stats.lanes[0].connections, 0);
    assert!(report.refused["key"] > 0, "{report:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_member_of_another_cluster_is_refused() {
    let mut net = Net::new(|_| Security::None, |_| [0; 32]);
    net.start(2, 1).await;
    net.start(3, 1).await;
    // It has the address and the number that node 1 has in this cluster, and means node 2.
    let mut config = net.config(1);
    config.cluster = [8; 16];
    let other = ssi_ics::runner::Ics::start(config).unwrap();
    net.nodes.insert(1, (other, 1));
    net.view();
    echo(net.ics(2), 3, b"undisturbed").await;
    let call = net.ics(1).call(2, "echo", 0, Bytes::new());
    let unheard = call.deadline(Duration::from_millis(200)).await;
    assert_eq!(unheard, Err(ssi_ics::core::CallError::Deadline));
    let report = net.ics(2).report();
    let lanes = report.peers[&1].stats.lanes;
    assert!(lanes.iter().all(|lane| lane.connections == 0));
    assert!(report.refused["cluster"] > 0, "{report:?}");
    echo(net.ics(3), 2, b"undisturbed").await;
}
