//! redis: one in the cluster, its data on the disk that all nodes reach.

use std::io::{self, BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::common::Cluster;
use super::common::cluster::Family::V4;
use super::common::disturb::{boot, crash};
use super::common::netns::NetNs;
use super::common::view;
use super::stage::{folder, kill_main, only, ready_on, served_by, until};

/// How long a client waits for anything before it tries anew.
const IMPATIENCE: Duration = Duration::from_millis(300);

/// A client that counts, and is told what it has counted to: each answer must be one that it
/// could have been given, or something was forgotten.
struct Counter {
    stop: Arc<AtomicBool>,
    work: JoinHandle<Counted>,
}

struct Counted {
    answers: u64,
    /// The longest time without an answer.
    gap: Duration,
}

impl Counter {
    fn start(net: &NetNs, target: SocketAddr) -> Self {
        let (net, stop) = (net.clone(), Arc::new(AtomicBool::new(false)));
        let stopped = stop.clone();
        let work = thread::spawn(move || {
            net.enter();
            count(target, &stopped)
        });
        Self { stop, work }
    }

    fn stop(self) -> Counted {
        self.stop.store(true, Ordering::Relaxed);
        self.work.join().expect("nothing was forgotten")
    }
}

fn count(target: SocketAddr, stop: &AtomicBool) -> Counted {
    let (mut counted, mut answers) = (0_u64, 0_u64);
    let (mut gap, mut last) = (Duration::ZERO, Instant::now());
    while !stop.load(Ordering::Relaxed) {
        let Ok(mut connection) = connect(target) else {
            thread::sleep(Duration::from_millis(5));
            continue;
        };
        while !stop.load(Ordering::Relaxed) {
            let Ok(value) = increment(&mut connection) else {
                break;
            };
            // What was not answered may have been counted.
            assert!(value > counted, "{counted} was answered, and then {value}");
            (counted, answers) = (value, answers + 1);
            gap = gap.max(last.elapsed());
            last = Instant::now();
        }
    }
    Counted { answers, gap }
}

fn connect(target: SocketAddr) -> io::Result<BufReader<TcpStream>> {
    let stream = TcpStream::connect_timeout(&target, IMPATIENCE)?;
    stream.set_read_timeout(Some(IMPATIENCE))?;
    stream.set_nodelay(true)?;
    Ok(BufReader::new(stream))
}

fn increment(connection: &mut BufReader<TcpStream>) -> io::Result<u64> {
    connection.get_mut().write_all(b"INCR counted\r\n")?;
    let mut line = String::new();
    connection.read_line(&mut line)?;
    let value = line.trim_end().strip_prefix(':');
    let value = value.and_then(|value| value.parse().ok());
    value.ok_or_else(|| io::Error::other(line))
}

pub(crate) fn moves(cluster: &Cluster) {
    let target = SocketAddr::new(cluster.cvip(V4), 6379);
    let data = folder("redis");
    let data = data.display();
    only(
        cluster,
        &format!(
            r#"
[[process]]
name = "redis"
path = "/usr/bin/redis-server"
args = ["--bind", "*", "--protected-mode", "no", "--dir", "{data}", "--save", "", "--appendonly", "yes", "--appendfsync", "always"]
favoured = 2
backup = "any"
term_wait = 10
ready = {{ command = ["/bin/sh", "-c", "test $(redis-cli ping) = PONG"] }}
balance = "tcp://{target}"
"#
        ),
    );
    let all = [1, 2, 3];
    served_by(cluster, &all, 6379, &[(2, 1)]);
    let during = |what: &str, work: &dyn Fn()| {
        let counter = Counter::start(cluster.client(), target);
        thread::sleep(Duration::from_millis(300));
        work();
        thread::sleep(Duration::from_millis(700));
        let Counted { answers, gap } = counter.stop();
        println!(
            "redis {what}: {answers} answers, {} ms without one",
            gap.as_millis()
        );
        assert!(answers > 0, "{what}: nobody was answered");
        gap
    };
    during("killed", &|| {
        kill_main(cluster, 2, "redis");
        until("it runs again", || ready_on(cluster.host(1), "redis") == 2);
    });
    let gap = during("drained", &|| {
        cluster.host(1).run(&["ssi", "drain", "2"]);
    });
    assert!(gap < Duration::from_secs(8), "{gap:?}");
    let there = ready_on(cluster.host(1), "redis");
    assert!(there != 2 && there != 0, "it is on {there}");
    served_by(cluster, &all, 6379, &[(there, 1)]);
    cluster.host(1).run(&["ssi", "drain", "--undo", "2"]);
    let left: Vec<u8> = all.into_iter().filter(|node| *node != there).collect();
    let next = std::cell::Cell::new(0);
    let gap = during("without power", &|| {
        crash(&[there]);
        let now = || ready_on(cluster.host(left[0]), "redis");
        until("it runs elsewhere", || now() != there && now() != 0);
        next.set(now());
    });
    assert!(gap < Duration::from_secs(15), "{gap:?}");
    served_by(cluster, &left, 6379, &[(next.get(), 1)]);
    boot(&[there]);
    view::settled(&all);
    only(cluster, "");
}
