//! The network that the cases play in: a namespace with an outside, where clients are,
//! and an inside, where servers are. Addresses are RFC 5737's and RFC 3849's.

use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::process::Command;

use rustix::thread::{UnshareFlags, unshare_unsafe};

pub type Mac = [u8; 6];

pub const OUTSIDE_MAC: Mac = [2, 0, 0, 0, 1, 1];
pub const INSIDE_MAC: Mac = [2, 0, 0, 0, 2, 1];
pub const CLIENT_MAC: Mac = [2, 0, 0, 0, 1, 0xc];
/// What the settings say of outer headers and ICMP errors.
pub const TTL: u8 = 64;

const OUTSIDE: &str = "outside";
const INSIDE: &str = "inside";

/// A real server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Real {
    pub addr: IpAddr,
    pub mac: Mac,
    /// On the clients' side rather than inside.
    pub outside: bool,
}

impl Real {
    /// Our address towards it.
    pub fn source(&self) -> IpAddr {
        let net = if self.outside { 1 } else { 2 };
        addr(self.addr.is_ipv4(), net, 1)
    }
}

/// All addresses of one family.
#[derive(Clone, Copy, Debug)]
pub struct Side {
    pub v4: bool,
    pub client: IpAddr,
    pub other_client: IpAddr,
    /// A client on this very machine, for cases with real sockets.
    pub insider: IpAddr,
    pub vip: IpAddr,
    pub other_vip: IpAddr,
    pub a: Real,
    pub b: Real,
    pub c: Real,
    /// On the outside: packets go back where they came from.
    pub d: Real,
    /// No neighbour entry.
    pub silent: Real,
    /// No route.
    pub unroutable: Real,
    /// An address of this node.
    pub own: IpAddr,
    /// No address of anybody's concern.
    pub nobody: IpAddr,
}

/// Address `host` in network `net`: 1 outside, 2 inside, 3 virtual, 4 nowhere.
const fn addr(v4: bool, net: u8, host: u8) -> IpAddr {
    if v4 {
        IpAddr::V4(match net {
            1 => Ipv4Addr::new(198, 51, 100, host),
            2 => Ipv4Addr::new(192, 0, 2, host),
            3 => Ipv4Addr::new(203, 0, 113, host),
            _ => Ipv4Addr::new(10, 4, 4, host),
        })
    } else {
        IpAddr::V6(Ipv6Addr::new(
            0x2001,
            0xdb8,
            net as u16,
            0,
            0xa,
            0xb,
            0xc,
            host as u16,
        ))
    }
}

const fn real(v4: bool, net: u8, host: u8) -> Real {
    Real {
        addr: addr(v4, net, host),
        mac: [2, 0, 0, 0, net, host],
        outside: net == 1,
    }
}

const fn side(v4: bool) -> Side {
    Side {
        v4,
        client: addr(v4, 1, 0xc),
        other_client: addr(v4, 1, 0xd),
        insider: addr(v4, 3, 0x11),
        vip: addr(v4, 3, 0x50),
        other_vip: addr(v4, 3, 0x51),
        a: real(v4, 2, 0xa1),
        b: real(v4, 2, 0xb1),
        c: real(v4, 2, 0xc1),
        d: real(v4, 1, 0xd1),
        silent: real(v4, 2, 0xee),
        unroutable: real(v4, 4, 1),
        own: addr(v4, 2, 1),
        nobody: addr(v4, 4, 9),
    }
}

pub const V4: Side = side(true);
pub const V6: Side = side(false);
pub const SIDES: [Side; 2] = [V4, V6];

impl Side {
    /// The other family.
    pub fn other(&self) -> Self {
        side(!self.v4)
    }
}

/// Numbers of the interfaces.
#[derive(Clone, Copy, Debug)]
pub struct Interfaces {
    pub outside: u32,
    pub inside: u32,
}

/// Moves this thread, and all that it starts from now on, into a new network namespace,
/// and lays the network there. It goes when the process ends.
pub fn enter() -> Interfaces {
    // SAFETY: nothing of this process relies on the namespace it leaves.
    unsafe { unshare_unsafe(UnshareFlags::NEWNET) }.expect("a network namespace; needs root");
    ip("link set lo up");
    for (name, mac, net) in [(OUTSIDE, OUTSIDE_MAC, 1), (INSIDE, INSIDE_MAC, 2)] {
        ip(&format!(
            "link add {name} address {} type veth peer name {name}-peer",
            text(mac)
        ));
        ip(&format!("link set {name}-peer up"));
        ip(&format!("link set {name} up"));
        ip(&format!("addr add {}/24 dev {name}", addr(true, net, 1)));
        ip(&format!(
            "addr add {}/64 dev {name} nodad",
            addr(false, net, 1)
        ));
    }
    for side in SIDES {
        for server in [side.a, side.b, side.c, side.d] {
            neighbour(
                server.addr,
                server.mac,
                if server.outside { OUTSIDE } else { INSIDE },
            );
        }
        neighbour(side.client, CLIENT_MAC, OUTSIDE);
        let len = if side.v4 { 32 } else { 128 };
        for local in [side.vip, side.insider] {
            ip(&format!("addr add {local}/{len} dev lo"));
        }
    }
    // The FIB lookup answers only where the kernel itself would forward.
    for family in ["ipv4", "ipv6"] {
        fs::write(format!("/proc/sys/net/{family}/conf/all/forwarding"), "1").expect("sysctl");
    }
    Interfaces {
        outside: index(OUTSIDE),
        inside: index(INSIDE),
    }
}

fn neighbour(addr: IpAddr, mac: Mac, interface: &str) {
    ip(&format!(
        "neigh add {addr} lladdr {} dev {interface} nud permanent",
        text(mac)
    ));
}

fn text(mac: Mac) -> String {
    mac.map(|byte| format!("{byte:02x}")).join(":")
}

fn index(interface: &str) -> u32 {
    rustix::net::netdevice::name_to_index(
        rustix::net::socket(
            rustix::net::AddressFamily::INET,
            rustix::net::SocketType::DGRAM,
            None,
        )
        .expect("a socket"),
        interface,
    )
    .expect("the interface was just made")
}

fn ip(args: &str) {
    let status = Command::new("ip")
        .args(args.split(' '))
        .status()
        .expect("iproute2 is installed");
    assert!(status.success(), "ip {args}");
}
