//! Probes between two network namespaces: the sender's kernel leaves the checksum to a
//! device that never comes, and the receiver's has to like what comes back.

use std::fs::File;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::os::fd::AsRawFd as _;
use std::time::Duration;

use rustix::thread::{
    LinkNameSpaceType, UnshareFlags, gettid, move_into_link_name_space, unshare_unsafe,
};
use ssi_abi::member::Member;
use ssi_abi::probe::{BYTES, PORT, Probe, kind};
use ssi_abi::{Addr, filter};
use ssi_loader::{Mode, Net, Options};

use crate::bed::{KEYS, OUR_LIFE, PEER, PEERS_LIFE, US, good, tagged};

fn ip(args: &str) {
    let status = std::process::Command::new("ip")
        .args(args.split(' '))
        .status()
        .expect("iproute2");
    assert!(status.success(), "ip {args}");
}

fn here() -> File {
    let tid = gettid().as_raw_nonzero();
    File::open(format!("/proc/self/task/{tid}/ns/net")).expect("a namespace")
}

fn enter(namespace: &File) {
    move_into_link_name_space(
        std::os::fd::AsFd::as_fd(namespace),
        Some(LinkNameSpaceType::Network),
    )
    .expect("root");
}

/// Two new namespaces on one wire; the thread is in the first afterwards.
fn namespaces() -> [File; 2] {
    let [ours, theirs] = [(); 2].map(|()| {
        // SAFETY: this thread shares no network state that others rely on.
        unsafe { unshare_unsafe(UnshareFlags::NEWNET) }.expect("root");
        here()
    });
    enter(&ours);
    ip("link add dev w0 type veth peer name w1");
    let path = format!("/proc/{}/fd/{}", std::process::id(), theirs.as_raw_fd());
    ip(&format!("link set dev w1 netns {path}"));
    for (namespace, dev, host) in [(&theirs, "w1", PEER), (&ours, "w0", US)] {
        enter(namespace);
        ip(&format!("addr add 10.7.0.{host}/24 dev {dev}"));
        ip(&format!("addr add fd00::{host}/64 dev {dev} nodad"));
        ip(&format!("link set dev {dev} up"));
    }
    [ours, theirs]
}

/// A socket on the cluster's port that takes datagrams without a checksum.
fn socket(addr: IpAddr) -> UdpSocket {
    let socket = UdpSocket::bind((addr, PORT)).expect("binds");
    socket
        .set_read_timeout(Some(Duration::from_secs(5)))
        .expect("a timeout");
    if addr.is_ipv6() {
        // `UDP_NO_CHECK6_RX` of the kernel's `uapi/linux/udp.h`.
        const NO_CHECK6_RX: i32 = 102;
        let on = 1_i32;
        // SAFETY: an open socket, and a value of the size that is said.
        let result = unsafe {
            libc::setsockopt(
                socket.as_raw_fd(),
                libc::SOL_UDP,
                NO_CHECK6_RX,
                (&raw const on).cast(),
                size_of_val(&on) as libc::socklen_t,
            )
        };
        assert_eq!(result, 0);
    }
    socket
}

fn probes_come_back(mode: Mode) {
    let [ours, theirs] = namespaces();
    let addr = |host: u8, v6: bool| -> IpAddr {
        let text = if v6 {
            format!("fd00::{host}")
        } else {
            format!("10.7.0.{host}")
        };
        text.parse().expect("an address")
    };
    let mut net = Net::open(&Options::default()).expect("loads");
    net.attach("w0", mode).expect("attaches");
    net.maps().own.join(US.into(), OUR_LIFE);
    net.maps().own.set_keys(KEYS);
    for v6 in [false, true] {
        let word = filter::word(&addr(US, v6).into());
        net.maps().addrs.set(word, &filter::NODE).expect("writes");
        let member = Member {
            node: PEER.into(),
            incarnation: PEERS_LIFE,
            ..Member::default()
        };
        let key = Addr::from(addr(PEER, v6));
        net.maps().members.insert(&key, &member).expect("writes");
    }
    enter(&theirs);
    // A veth takes frames from XDP only where it expects them.
    let mut other = Net::open(&Options::default()).expect("loads");
    other.attach("w1", mode).expect("attaches");
    for v6 in [false, true] {
        let socket = socket(addr(PEER, v6));
        let to = SocketAddr::new(addr(US, v6), PORT);
        for nonce in 1..=20 {
            let probe = good(nonce);
            socket.send_to(&probe.to_bytes(), to).expect("sends");
            let mut bytes = [0; BYTES + 1];
            let (len, from) = socket.recv_from(&mut bytes).expect("comes back");
            assert_eq!((len, from), (BYTES, to), "{mode:?}");
            let got = Probe::from_bytes(bytes.first_chunk().expect("long enough"));
            assert_eq!(got.kind, kind::REFLECTION);
            assert_eq!(got, tagged(probe.reflection(got.clock, 0)));
        }
    }
    enter(&ours);
}

/// On a thread of its own, whose namespaces go with it.
fn apart(test: fn()) {
    std::thread::spawn(test).join().expect("passes");
}

#[test]
fn probes_come_back_from_xdp() {
    apart(|| probes_come_back(Mode::Native));
}

#[test]
fn probes_come_back_from_tc() {
    apart(|| probes_come_back(Mode::Tc));
}
