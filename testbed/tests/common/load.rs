//! Real HTTP clients on the client host that count every failure, and say which server it
//! happened with.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::host::Host;
use super::http::Connection;
use super::netns::NetNs;

/// The client's setting of which ports it opens connections from.
const PORTS: &str = "net.ipv4.ip_local_port_range";

/// What clients saw.
#[derive(Debug, Default)]
pub struct Report {
    /// Answered requests, by the name of the node that answered.
    pub answered: BTreeMap<String, u64>,
    /// Everything that went wrong.
    pub failures: Vec<Failure>,
}

/// A request that got no answer, or a wrong one.
#[derive(Debug)]
pub struct Failure {
    /// Who had answered this connection before, if anybody.
    pub node: Option<String>,
    /// What happened.
    pub reason: String,
    /// When the last answer came, or else when it was begun.
    pub since: Instant,
}

impl Failure {
    fn new(node: Option<String>, error: &io::Error, since: Instant) -> Self {
        Self {
            node,
            reason: error.to_string(),
            since,
        }
    }
}

impl Report {
    /// How many requests were answered.
    pub fn total(&self) -> u64 {
        self.answered.values().sum()
    }

    /// How many requests `node` answered.
    pub fn by(&self, node: &str) -> u64 {
        self.answered.get(node).copied().unwrap_or_default()
    }

    /// Panics unless there were answers and nothing but answers.
    #[track_caller]
    pub fn assert_flawless(&self) {
        assert!(
            self.failures.is_empty(),
            "{} of {} requests failed, the first: {:?}",
            self.failures.len(),
            self.total() + self.failures.len() as u64,
            self.failures[0]
        );
        assert!(self.total() > 0, "no request was made");
    }

    /// Makes a connection for one request.
    fn note(&mut self, target: SocketAddr) {
        let since = Instant::now();
        let answer = Connection::open(target).and_then(|mut opened| opened.get("/", false));
        match answer {
            Ok(node) => *self.answered.entry(node).or_default() += 1,
            Err(error) => self.failures.push(Failure::new(None, &error, since)),
        }
    }

    fn absorb(&mut self, other: Self) {
        for (node, answers) in other.answered {
            *self.answered.entry(node).or_default() += answers;
        }
        self.failures.extend(other.failures);
    }
}

/// While this lives, the client has few ports to open connections from, so that they come round
/// again. Servers close first here, so none of them waits at the client.
pub struct FewPorts(String);

impl FewPorts {
    /// So many; the kernel prefers each second one.
    pub fn new(count: u16) -> Self {
        let before = Host::Client.run(&["sysctl", "-n", PORTS]);
        let ports = Self(before.trim().to_owned());
        ports.set(&format!("40000 {}", 40_000 + count - 1));
        ports
    }

    fn set(&self, range: &str) {
        Host::Client.run(&["sysctl", "-qw", &format!("{PORTS}={range}")]);
    }
}

impl Drop for FewPorts {
    fn drop(&mut self) {
        self.set(&self.0);
    }
}

/// Clients at work until [`Load::stop`].
pub struct Load {
    stop: Arc<AtomicBool>,
    clients: Vec<JoinHandle<Report>>,
}

impl Load {
    /// `clients` clients that make one request a connection, as fast as they are answered.
    pub fn short(net: &NetNs, target: SocketAddr, clients: usize) -> Self {
        Self::start(net, clients, move |stop| {
            let mut report = Report::default();
            while !stop.load(Ordering::Relaxed) {
                report.note(target);
            }
            report
        })
    }

    /// `connections` connections that stay open and carry a request every `pause`; one that
    /// fails is opened anew.
    pub fn reopened(net: &NetNs, target: SocketAddr, connections: usize, pause: Duration) -> Self {
        Self::start(net, connections, move |stop| {
            let mut report = Report::default();
            while !stop.load(Ordering::Relaxed) {
                report.absorb(hold(target, pause, &stop));
            }
            report
        })
    }

    /// `connections` connections that stay open and carry a request every `pause`.
    pub fn held(net: &NetNs, target: SocketAddr, connections: usize, pause: Duration) -> Self {
        Self::start(net, connections, move |stop| hold(target, pause, &stop))
    }

    fn start(
        net: &NetNs,
        clients: usize,
        work: impl Fn(Arc<AtomicBool>) -> Report + Clone + Send + 'static,
    ) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let clients = (0..clients)
            .map(|_| {
                let (net, work, stop) = (net.clone(), work.clone(), Arc::clone(&stop));
                thread::spawn(move || {
                    net.enter();
                    work(stop)
                })
            })
            .collect();
        Self { stop, clients }
    }

    /// Lets every client finish the request it is at, and adds up what they saw.
    pub fn stop(self) -> Report {
        self.stop.store(true, Ordering::Relaxed);
        let mut sum = Report::default();
        for client in self.clients {
            sum.absorb(client.join().expect("a client thread panicked"));
        }
        sum
    }
}

/// `count` connections of one request each, one after the other.
pub fn burst(net: &NetNs, target: SocketAddr, count: usize) -> Report {
    net.run(move || {
        let mut report = Report::default();
        for _ in 0..count {
            report.note(target);
        }
        report
    })
}

fn hold(target: SocketAddr, pause: Duration, stop: &AtomicBool) -> Report {
    let mut report = Report::default();
    let mut node = None;
    let mut since = Instant::now();
    let outcome = (|| -> io::Result<()> {
        let mut connection = Connection::open(target)?;
        while !stop.load(Ordering::Relaxed) {
            let answer = connection.get("/", true)?;
            if let Some(before) = &node
                && *before != answer
            {
                return Err(io::Error::other(format!(
                    "was with {before}, is with {answer}"
                )));
            }
            *report.answered.entry(answer.clone()).or_default() += 1;
            (node, since) = (Some(answer), Instant::now());
            thread::sleep(pause);
        }
        Ok(())
    })();
    if let Err(error) = outcome {
        report.failures.push(Failure::new(node, &error, since));
    }
    report
}
