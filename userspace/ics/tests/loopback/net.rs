//! Nodes, and the views they are given.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use ssi_ics::core::{CallError, Failure, Priority};
use ssi_ics::runner::{Config, Ics, PORT, PeerInfo, Request, Security, View};

static NEXT: AtomicU8 = AtomicU8::new(1);

/// Nodes of one cluster; each test has its own addresses.
pub(crate) struct Net {
    number: u8,
    security: fn(u16) -> Security,
    fingerprint: fn(u16) -> [u8; 32],
    pub(crate) nodes: BTreeMap<u16, (Ics, u32)>,
    pub(crate) epoch: u64,
}

impl Drop for Net {
    fn drop(&mut self) {
        for (ics, _) in self.nodes.values() {
            ics.stop();
        }
    }
}

impl Net {
    pub(crate) fn new(security: fn(u16) -> Security, fingerprint: fn(u16) -> [u8; 32]) -> Self {
        Self {
            number: NEXT.fetch_add(1, Ordering::Relaxed),
            security,
            fingerprint,
            nodes: BTreeMap::new(),
            epoch: 0,
        }
    }

    /// Nodes 1 to `count` that know each other.
    pub(crate) async fn of(count: u16) -> Self {
        let mut net = Self::new(|_| Security::None, |_| [0; 32]);
        for node in 1..=count {
            net.start(node, 1).await;
        }
        net.view();
        net.wait_connected().await;
        net
    }

    pub(crate) fn address(&self, node: u16) -> SocketAddr {
        SocketAddr::from(([127, 117, self.number, node as u8], PORT))
    }

    pub(crate) fn config(&self, node: u16) -> Config {
        let security = (self.security)(node);
        Config::new(node, [7; 16], self.address(node), security)
    }

    /// Starts a node; it is in no view yet.
    pub(crate) async fn start(&mut self, node: u16, incarnation: u32) {
        let config = self.config(node);
        let ics = loop {
            // The port may still be held for a moment by a node that was just stopped.
            match Ics::start(config.clone()) {
                Ok(ics) => break ics,
                Err(_) => tokio::time::sleep(Duration::from_millis(5)).await,
            }
        };
        register(&ics);
        self.nodes.insert(node, (ics, incarnation));
    }

    pub(crate) fn ics(&self, node: u16) -> &Ics {
        &self.nodes[&node].0
    }

    /// What a node's view is if it has these nodes up.
    pub(crate) fn view_of(&self, node: u16, up: &[u16]) -> View {
        let others = up.iter().filter(|other| **other != node);
        View {
            epoch: self.epoch,
            incarnation: self.nodes[&node].1,
            peers: others
                .map(|other| {
                    let info = PeerInfo {
                        address: self.address(*other),
                        incarnation: self.nodes[other].1,
                        fingerprint: (self.fingerprint)(*other),
                    };
                    (*other, info)
                })
                .collect(),
        }
    }

    /// Gives all nodes a view that has all of them up.
    pub(crate) fn view(&mut self) {
        self.epoch += 1;
        let up: Vec<u16> = self.nodes.keys().copied().collect();
        for node in &up {
            self.ics(*node).peers(self.view_of(*node, &up));
        }
    }

    /// Gives one node the view that has all of them up, once more.
    pub(crate) fn view_again(&self, node: u16) {
        let up: Vec<u16> = self.nodes.keys().copied().collect();
        self.ics(node).peers(self.view_of(node, &up));
    }

    /// Whether every node has all lanes to every other of its view.
    pub(crate) fn is_connected(&self) -> bool {
        self.nodes.values().all(|(ics, _)| {
            let report = ics.report();
            let mut up = report.peers.values().filter(|p| p.incarnation.is_some());
            up.all(|peer| peer.stats.lanes.iter().all(|lane| lane.connected))
        })
    }

    pub(crate) async fn wait_connected(&self) {
        let start = Instant::now();
        while !self.is_connected() {
            assert!(
                start.elapsed() < Duration::from_secs(30),
                "{:#?}",
                self.reports()
            );
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    fn reports(&self) -> Vec<ssi_ics::runner::Report> {
        self.nodes.values().map(|(ics, _)| ics.report()).collect()
    }
}

/// What every node can be asked for.
fn register(ics: &Ics) {
    let echo = |request: Request| async move { Ok(request.body) };
    ics.register("echo", echo).unwrap();
    let slow = |request: Request| async move {
        tokio::time::sleep(Duration::from_millis(u64::from(request.op))).await;
        Ok(request.body)
    };
    ics.register("slow", slow).unwrap();
    let never = |request: Request| async move {
        request.cancelled.wait().await;
        Err(Failure::Cancelled)
    };
    ics.register("never", never).unwrap();
    let fail = |_| async { Err(Failure::Other("as it should".into())) };
    ics.register("fail", fail).unwrap();
    let panics = |request: Request| async move {
        if request.op == 1 {
            tokio::task::yield_now().await;
        }
        panic!("on purpose");
    };
    ics.register("panics", panics).unwrap();
    // Calls back as often as `op` says, and tells the priorities it had on the way.
    let this = ics.clone();
    let nest = move |request: Request| {
        let this = this.clone();
        async move {
            let mut seen = vec![request.priority.get()];
            if request.op > 0 {
                let call = this.call(request.from, "nest", request.op - 1, Bytes::new());
                seen.extend(
                    call.await
                        .map_err(|error| Failure::Other(error.to_string()))?,
                );
            }
            Ok(seen.into())
        }
    };
    ics.register("nest", nest).unwrap();
    let sum = |mut request: Request| async move {
        let mut stream = request.stream.take().ok_or(Failure::Cancelled)?;
        let (mut sum, mut length) = (0_u64, 0_u64);
        while let Some(bytes) = stream.next().await.map_err(|_| Failure::Cancelled)? {
            length += bytes.len() as u64;
            sum = checksum(sum, &bytes);
            if request.op > 0 {
                tokio::time::sleep(Duration::from_millis(u64::from(request.op))).await;
            }
        }
        Ok([sum.to_le_bytes(), length.to_le_bytes()].concat().into())
    };
    ics.register("sum", sum).unwrap();
}

/// A sum that depends on the order, whatever the bytes are cut into.
pub(crate) fn checksum(start: u64, bytes: &[u8]) -> u64 {
    bytes.iter().fold(start, |sum, byte| {
        sum.rotate_left(7) ^ u64::from(*byte).wrapping_mul(0x9e37)
    })
}

/// An echo that has to come back.
pub(crate) async fn echo(ics: &Ics, node: u16, body: &'static [u8]) {
    let call = ics.call(node, "echo", 0, Bytes::from_static(body));
    let reply = call.deadline(Duration::from_secs(30)).await;
    assert_eq!(reply.unwrap(), body);
}

pub(crate) fn priority(priority: u8) -> Priority {
    Priority::new(priority).unwrap()
}

pub(crate) fn is_down(result: &Result<Bytes, CallError>, node: u16, epoch: u64) -> bool {
    *result == Err(CallError::NodeDown { node, epoch })
}
