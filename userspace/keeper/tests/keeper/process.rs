//! The keeper as a process.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;

use rustix::process::{Pid, Signal, getsid, kill_process};

use crate::daemon::{Daemon, Place, connect, echoes, until};

fn address(last: u8) -> SocketAddr {
    SocketAddr::from(([127, 119, 2, last], 7117))
}

/// The keeper that holds the socket of a directory: the process whose standard input has
/// its path.
fn keeper(directory: &Path) -> Option<Pid> {
    let path = directory.join("keeper.sock");
    let path = path.to_str().expect("UTF-8");
    let sockets = fs::read_to_string("/proc/net/unix").expect("procfs");
    // Accepted connections have the same path.
    let inodes: Vec<String> = sockets
        .lines()
        .filter(|line| line.ends_with(path))
        .filter_map(|line| Some(format!("socket:[{}]", line.split_whitespace().nth(6)?)))
        .collect();
    fs::read_dir("/proc")
        .expect("procfs")
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<i32>().ok())
        .find(|pid| {
            let stdin = fs::read_link(format!("/proc/{pid}/fd/0"));
            stdin.is_ok_and(|stdin| inodes.iter().any(|inode| stdin.as_os_str() == &**inode))
        })
        .and_then(Pid::from_raw)
}

pub fn a_killed_keeper_is_replaced() {
    let (place, address) = (Place::new(), address(1));
    let daemon = Daemon::start(place.path(), address, 2);
    for _ in 0..3 {
        let killed = keeper(place.path()).expect("it runs");
        kill_process(killed, Signal::KILL).expect("kills");
        until("another keeper runs and holds", || {
            let another = keeper(place.path()).filter(|another| *another != killed);
            another.is_some_and(|another| descriptors(another) == 5 + 1)
        });
        let zombie = fs::read_to_string(format!("/proc/{}/stat", killed.as_raw_nonzero()));
        assert!(zombie.is_err(), "the daemon has waited for it");
    }
    daemon.kill();
    let waiting = connect(address).expect("it is not refused");
    let daemon = Daemon::start(place.path(), address, 2);
    assert!(daemon.found);
    assert!(echoes(&waiting));
}

fn descriptors(pid: Pid) -> usize {
    let open = fs::read_dir(format!("/proc/{}/fd", pid.as_raw_nonzero()));
    open.map_or(0, Iterator::count)
}

pub fn it_is_small_and_alone() {
    let (place, address) = (Place::new(), address(2));
    let daemon = Daemon::start(place.path(), address, 2);
    let pid = keeper(place.path()).expect("it runs");
    // The standard ones, two sockets, and the daemon's connection; nothing that the daemon
    // had of this test.
    assert_eq!(descriptors(pid), 3 + 2 + 1);
    assert_eq!(getsid(Some(pid)).expect("it has a session"), pid);
    let proc = |file: &str| {
        let path = format!("/proc/{}/{file}", pid.as_raw_nonzero());
        fs::read_to_string(path).expect("procfs")
    };
    assert_eq!(proc("comm"), "ssid-keeper\n");
    assert_eq!(proc("environ"), "");
    let status = proc("status");
    let field = |name: &str| {
        let line = status.lines().find(|line| line.starts_with(name));
        let value = line.and_then(|line| line.split_whitespace().nth(1));
        value.expect("the field").to_owned()
    };
    assert_eq!(field("SigBlk:"), "0000000000000000");
    let private: u64 = field("RssAnon:").parse().expect("kilobytes");
    assert!(private < 1536, "{private} KB");
    assert_eq!(field("Threads:"), "1");
    drop(daemon);
    until("it goes on without", || descriptors(pid) == 3 + 2);
}

pub fn it_ends_when_it_is_told() {
    let (place, address) = (Place::new(), address(3));
    assert!(!ssi_keeper::end(place.path()).expect("there is none"));
    Daemon::start(place.path(), address, 2).kill();
    let pid = keeper(place.path()).expect("it runs");
    assert!(ssi_keeper::end(place.path()).expect("it ends"));
    until("it has ended", || descriptors(pid) == 0);
    let refused = connect(address).expect_err("nobody listens");
    assert_eq!(refused.kind(), std::io::ErrorKind::ConnectionRefused);
    assert_eq!(fs::read_dir(place.path()).expect("a directory").count(), 0);
    assert!(!ssi_keeper::end(place.path()).expect("twice does no harm"));
    // One that was killed leaves its socket, which nobody listens at.
    Daemon::start(place.path(), address, 2).kill();
    let pid = keeper(place.path()).expect("it runs");
    kill_process(pid, Signal::KILL).expect("kills");
    until("it has ended", || keeper(place.path()).is_none());
    assert!(!Daemon::start(place.path(), address, 2).found);
}
