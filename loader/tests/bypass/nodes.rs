//! Two nodes, and connections between them.

use std::fs::File;
use std::io;
use std::net::{SocketAddr, TcpStream};
use std::os::fd::{AsFd as _, AsRawFd as _};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rustix::mount::{MountFlags, MountPropagationFlags, mount, mount_change, unmount};
use rustix::thread::{LinkNameSpaceType, UnshareFlags, move_into_link_name_space, unshare_unsafe};
use socket2::{Domain, Socket, Type};
use ssi_abi::member::{Member, PeerStats, peer_lane};
use ssi_loader::{Bypass, Net, Options, Sizes};

static TURN: Mutex<()> = Mutex::new(());

/// Which cluster the nodes are of.
pub const CLUSTER: [u8; 16] = *b"a cluster's name";

/// Node 1 and node 2 of one machine, with a wire between them.
pub struct Nodes {
    root: PathBuf,
    spaces: [File; 2],
    v6: bool,
    pub nets: [Net; 2],
    pub ways: [Bypass; 2],
}

/// Runs a test with two nodes, over both families.
pub fn with_nodes(test: impl Fn(&Nodes) + Sync) {
    once(|nodes| {
        test(nodes);
        nodes.v6 = true;
        test(nodes);
    });
}

/// The same over IPv4 only.
pub fn once(test: impl Fn(&mut Nodes) + Sync) {
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    std::thread::scope(|scope| {
        if let Err(panic) = scope.spawn(|| isolated(&test)).join() {
            std::panic::resume_unwind(panic);
        }
    });
}

fn isolated(test: impl Fn(&mut Nodes)) {
    unshare(UnshareFlags::NEWNET | UnshareFlags::NEWNS | UnshareFlags::FS);
    mount_change(
        "/",
        MountPropagationFlags::REC | MountPropagationFlags::PRIVATE,
    )
    .expect("private mounts");
    let dir = tempfile::tempdir().expect("a directory");
    mount("bpf", dir.path(), "bpf", MountFlags::empty(), None).expect("a bpffs");
    let here = space();
    unshare(UnshareFlags::NEWNET);
    let there = space();
    ip("link add v2 type veth peer name v1");
    let first = here.as_raw_fd();
    ip(&format!(
        "link set v1 netns /proc/{}/fd/{first}",
        std::process::id()
    ));
    for (space, last) in [(&here, 1), (&there, 2)] {
        enter(space);
        ip(&format!("addr add 10.7.0.{last}/24 dev v{last}"));
        ip(&format!("addr add fd00::7:{last}/64 dev v{last} nodad"));
        ip(&format!("link set v{last} up"));
    }
    // So that no packet is lost to neighbours that are not known yet.
    std::thread::sleep(Duration::from_millis(50));
    let nets = [1, 2].map(|node| open(dir.path(), node));
    let ways = [0, 1].map(|at| {
        let way = nets[at].bypass(&dir.path().join("shared"), CLUSTER);
        way.expect("the kernel can")
    });
    test(&mut Nodes {
        root: dir.path().to_owned(),
        spaces: [here, there],
        v6: false,
        nets,
        ways,
    });
    unmount(dir.path(), rustix::mount::UnmountFlags::DETACH).expect("unmounts");
}

fn unshare(what: UnshareFlags) {
    // SAFETY: this thread shares no state that others rely on.
    unsafe { unshare_unsafe(what) }.expect("root");
}

fn space() -> File {
    File::open("/proc/thread-self/ns/net").expect("procfs")
}

fn enter(space: &File) {
    move_into_link_name_space(space.as_fd(), Some(LinkNameSpaceType::Network)).expect("enters");
}

fn ip(args: &str) {
    let status = Command::new("ip").args(args.split(' ')).status();
    assert!(status.expect("iproute2").success(), "ip {args}");
}

fn address(node: u8, v6: bool) -> SocketAddr {
    if v6 {
        SocketAddr::from(([0xfd00, 0, 0, 0, 0, 0, 7, node.into()], 7117))
    } else {
        SocketAddr::from(([10, 7, 0, node], 7117))
    }
}

/// A node's packet path, to which the other node is a member.
fn open(root: &Path, node: u8) -> Net {
    let pins = root.join(format!("node{node}"));
    let sizes = Sizes {
        conns4: 4096,
        conns6: 4096,
        table_entries: 1 << 17,
    };
    let net = Net::open(&Options {
        pins: Some(pins),
        sizes,
    });
    let net = net.expect("loads");
    net.maps().own.join(node.into(), 1);
    for v6 in [false, true] {
        admit(&net, 3 - node, v6, 0);
    }
    net
}

/// The other node is a member, with these flags.
fn admit(net: &Net, node: u8, v6: bool, flags: u32) {
    let member = Member {
        node: node.into(),
        incarnation: 1,
        flags,
        ..Member::default()
    };
    let address = address(node, v6).ip().into();
    net.maps()
        .members
        .insert(&address, &member)
        .expect("writes");
}

impl Nodes {
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Fences the other node, or no longer, at node 1.
    pub fn fence(&self, flags: u32) {
        admit(&self.nets[0], 2, self.v6, flags);
    }

    /// A connection of a lane: the end of node 1, which dials, and that of node 2.
    pub fn connect(&self, lane: u16) -> [TcpStream; 2] {
        let (from, to) = (address(1, self.v6), address(2, self.v6));
        let family = Domain::for_address(to);
        enter(&self.spaces[1]);
        let listener = Socket::new(family, Type::STREAM, None).expect("a socket");
        listener.set_reuse_address(true).expect("sets");
        listener.bind(&to.into()).expect("binds");
        listener.listen(1).expect("listens");
        enter(&self.spaces[0]);
        let dial = || {
            let socket = Socket::new(family, Type::STREAM, None)?;
            socket.set_reuse_address(true)?;
            let port = 40_000 + lane;
            socket.bind(&SocketAddr::new(from.ip(), port).into())?;
            socket.connect_timeout(&to.into(), Duration::from_secs(5))?;
            io::Result::Ok(socket)
        };
        let dialled = dial().expect("connects");
        let (accepted, _) = listener.accept().expect("accepts");
        [dialled, accepted].map(|socket| {
            socket.set_tcp_nodelay(true).expect("sets");
            let patience = Some(Duration::from_secs(5));
            socket.set_read_timeout(patience).expect("sets");
            socket.into()
        })
    }

    /// Takes in the end of one of the nodes.
    pub fn join(&self, at: usize, end: &TcpStream) {
        let local = end.local_addr().expect("bound");
        let remote = end.peer_addr().expect("connected");
        self.ways[at]
            .join(end.as_fd(), local, remote)
            .expect("it is taken in");
    }

    /// Packets that node 1 has sent over the wire.
    pub fn packets(&self) -> u64 {
        enter(&self.spaces[0]);
        let table = std::fs::read_to_string("/proc/thread-self/net/dev").expect("procfs");
        let line = table.lines().find(|line| line.trim().starts_with("v1:"));
        let mut fields = line.expect("the interface").split_whitespace();
        fields
            .nth(10)
            .and_then(|n| n.parse().ok())
            .expect("a number")
    }

    /// What node 1 has sent to node 2 over a lane.
    pub fn said(&self, lane: u32) -> PeerStats {
        let stats = self.nets[0].maps().peer_stats.get(peer_lane(2, lane));
        let cpus = stats.expect("reads");
        cpus.iter()
            .fold(PeerStats::default(), |sum, cpu| PeerStats {
                out_packets: sum.out_packets + cpu.out_packets,
                out_bytes: sum.out_bytes + cpu.out_bytes,
                ..sum
            })
    }
}
