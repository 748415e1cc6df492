//! Frames from userspace into the stack, and the kernel's clock. Needs root and BPF; runs
//! in a network namespace of its own.

use std::net::UdpSocket;
use std::time::{Duration, Instant};

use rustix::thread::{UnshareFlags, unshare_unsafe};
use ssi_loader::kernel::{Jiffies, hz};
use ssi_loader::{Net, Options};

#[test]
fn jiffies_advance_as_hz_says() {
    let jiffies = Jiffies::open().expect("root");
    let (start, from) = (Instant::now(), jiffies.now().expect("runs"));
    std::thread::sleep(Duration::from_millis(300));
    let ticks = jiffies.now().expect("runs").wrapping_sub(from);
    let expected = start.elapsed().as_secs_f64() * f64::from(hz());
    assert!(
        (f64::from(ticks) - expected).abs() <= 0.1 * expected + 2.0,
        "{ticks} jiffies, expected {expected}"
    );
}

#[test]
fn a_delivered_frame_reaches_its_socket() {
    std::thread::spawn(|| {
        // SAFETY: this thread shares no network state that others rely on.
        unsafe { unshare_unsafe(UnshareFlags::NEWNET) }.expect("root");
        ip("link add dev veth0 address 02:00:00:00:00:01 type veth peer name veth1");
        ip("addr add 10.9.0.1/24 dev veth0");
        ip("link set dev veth1 up");
        ip("link set dev veth0 up");
        let socket = UdpSocket::bind("10.9.0.1:7000").expect("binds");
        socket
            .set_read_timeout(Some(Duration::from_secs(5)))
            .expect("a timeout");
        let mut net = Net::open(&Options::default()).expect("loads");
        let frame = etherparse::PacketBuilder::ethernet2([2, 0, 0, 0, 0, 9], [2, 0, 0, 0, 0, 1])
            .ipv4([10, 9, 0, 2], [10, 9, 0, 1], 64)
            .udp(5, 7000);
        let mut bytes = Vec::new();
        frame.write(&mut bytes, b"hello").expect("builds");
        net.deliver(&bytes, index("veth0")).expect("delivers");
        let mut got = [0; 16];
        let (len, from) = socket.recv_from(&mut got).expect("arrives");
        assert_eq!(
            (&got[..len], from.to_string().as_str()),
            (&b"hello"[..], "10.9.0.2:5")
        );
    })
    .join()
    .expect("passes");
}

fn index(name: &str) -> u32 {
    let name = std::ffi::CString::new(name).expect("no zero");
    // SAFETY: a valid C string.
    unsafe { libc::if_nametoindex(name.as_ptr()) }
}

fn ip(args: &str) {
    let status = std::process::Command::new("ip")
        .args(args.split(' '))
        .status()
        .expect("iproute2");
    assert!(status.success(), "ip {args}");
}
