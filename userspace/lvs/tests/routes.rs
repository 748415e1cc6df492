//! Following routes and neighbours of a real kernel. Needs root; runs in network
//! namespaces of its own.

use std::collections::{HashMap, HashSet};
use std::net::IpAddr;
use std::sync::mpsc;
use std::time::Duration;

use rustix::thread::{UnshareFlags, gettid, unshare_unsafe};
use ssi_lvs::runner::routes::{Way, follow};
use tokio::sync::watch;
use tokio::time::timeout;

fn new_network() {
    // SAFETY: the thread shares no network state that others rely on.
    unsafe { unshare_unsafe(UnshareFlags::NEWNET) }.expect("root");
}

fn ip(args: &str) {
    let status = std::process::Command::new("ip")
        .args(args.split(' '))
        .status()
        .expect("iproute2");
    assert!(status.success(), "ip {args}");
}

fn addr(text: &str) -> IpAddr {
    text.parse().expect("an address")
}

/// Another host behind veth1, until the sender of `done` goes.
fn neighbour(ready: &mpsc::Sender<i32>, moved: &mpsc::Receiver<()>, done: &mpsc::Receiver<()>) {
    new_network();
    ready.send(gettid().as_raw_nonzero().get()).expect("heard");
    moved.recv().expect("veth1 is here");
    ip("link set dev veth1 address 02:00:00:00:00:02");
    ip("addr add 10.9.0.2/24 dev veth1");
    ip("addr add fd09::2/64 dev veth1 nodad");
    ip("link set dev veth1 up");
    ready.send(0).expect("heard");
    let _ = done.recv();
}

struct Ways {
    changes: tokio::sync::mpsc::UnboundedReceiver<Vec<(IpAddr, Way)>>,
    now: HashMap<IpAddr, Way>,
}

impl Ways {
    async fn until(&mut self, text: &str, is: impl Fn(&Way) -> bool) -> Way {
        let wait = async {
            loop {
                if let Some(way) = self.now.get(&addr(text))
                    && is(way)
                {
                    return *way;
                }
                self.now.extend(self.changes.recv().await.expect("follows"));
            }
        };
        match timeout(Duration::from_secs(10), wait).await {
            Ok(way) => way,
            Err(_) => panic!("{text}: {:?}", self.now.get(&addr(text))),
        }
    }
}

#[test]
fn ways_follow_the_kernel() {
    let (ready, told) = mpsc::channel();
    let (moved, arrived) = mpsc::channel();
    let (_done, finish) = mpsc::channel();
    std::thread::spawn(move || neighbour(&ready, &arrived, &finish));
    let peer = told.recv().expect("started");
    std::thread::spawn(move || {
        new_network();
        ip("link set dev lo up");
        ip("link add dev veth0 address 02:00:00:00:00:01 mtu 1400 type veth peer name veth1");
        ip(&format!("link set dev veth1 netns {peer}"));
        moved.send(()).expect("heard");
        told.recv().expect("up");
        ip("addr add 10.9.0.1/24 dev veth0");
        ip("addr add fd09::1/64 dev veth0 nodad");
        ip("link set dev veth0 up");
        ip("route add 198.51.100.0/24 via 10.9.0.2 mtu 1300");
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime")
            .block_on(check());
    })
    .join()
    .expect("passes");
}

async fn check() {
    let wanted: HashSet<IpAddr> = [
        "10.9.0.1",
        "10.9.0.2",
        "fd09::2",
        "198.51.100.7",
        "192.0.2.9",
    ]
    .map(addr)
    .into();
    let (want, wants) = watch::channel(wanted);
    let (send, changes) = tokio::sync::mpsc::unbounded_channel();
    let following = tokio::spawn(follow(wants, send));
    let mut ways = Ways {
        changes,
        now: HashMap::new(),
    };
    let (own, theirs) = ([2, 0, 0, 0, 0, 1], [2, 0, 0, 0, 0, 2]);

    assert!(ways.until("10.9.0.1", |way| way.local).await.macs.is_none());
    let way = ways.until("10.9.0.2", |way| way.macs.is_some()).await;
    assert_eq!(way.macs, Some((theirs, own)));
    assert_eq!((way.source, way.mtu), (Some(addr("10.9.0.1")), 1400));
    let way = ways.until("fd09::2", |way| way.macs.is_some()).await;
    assert_eq!(way.macs, Some((theirs, own)));
    let way = ways.until("198.51.100.7", |way| way.macs.is_some()).await;
    assert_eq!((way.macs, way.mtu), (Some((theirs, own)), 1300));
    ways.until("192.0.2.9", |way| way.ifindex == 0).await;

    // The neighbour moves to another machine.
    ip("neigh replace 10.9.0.2 dev veth0 lladdr 02:00:00:00:00:03 nud reachable");
    let moved = [2, 0, 0, 0, 0, 3];
    ways.until("10.9.0.2", |way| way.macs == Some((moved, own)))
        .await;
    ways.until("198.51.100.7", |way| way.macs == Some((moved, own)))
        .await;

    // Routes change, addresses are wanted anew, links go.
    ip("route del 198.51.100.0/24");
    ways.until("198.51.100.7", |way| way.ifindex == 0).await;
    ip("addr add 192.0.2.9/32 dev lo");
    ways.until("192.0.2.9", |way| way.local).await;
    want.send_modify(|wanted| {
        wanted.insert(addr("10.9.0.77"));
    });
    let way = ways.until("10.9.0.77", |way| way.ifindex != 0).await;
    assert_eq!(way.macs, None, "nobody has that address");
    ip("link del dev veth0");
    ways.until("10.9.0.2", |way| way.ifindex == 0).await;

    drop(want);
    timeout(Duration::from_secs(5), following)
        .await
        .expect("ends with its caller")
        .expect("without a panic");
}
