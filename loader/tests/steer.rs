//! Connections to the cluster's port: to the socket of their lane's worker. Needs root and
//! BPF.

use std::io;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::time::Duration;

use rustix::mount::{MountFlags, MountPropagationFlags, mount, mount_change, unmount};
use rustix::thread::{UnshareFlags, unshare_unsafe};
use socket2::{Domain, Socket, Type};
use ssi_loader::{Net, Options, Sizes, unload};

/// Bulk is served by worker 1, lane 7 by a worker that has no socket, all else by 0.
const WORKERS: [u32; 8] = [0, 0, 0, 0, 0, 0, 1, 5];

/// Runs a test in fresh network and mount namespaces, with a bpffs, on a thread of its own.
fn isolated(test: impl FnOnce(&std::path::Path) + Send) {
    std::thread::scope(|scope| {
        scope.spawn(|| {
            // SAFETY: this thread shares no file system state that others rely on.
            unsafe {
                unshare_unsafe(UnshareFlags::NEWNET | UnshareFlags::NEWNS | UnshareFlags::FS)
            }
            .expect("root");
            mount_change(
                "/",
                MountPropagationFlags::REC | MountPropagationFlags::PRIVATE,
            )
            .expect("private mounts");
            let up = std::process::Command::new("ip")
                .args(["link", "set", "lo", "up"])
                .status();
            assert!(up.expect("iproute2").success());
            let dir = tempfile::tempdir().expect("a directory");
            mount("bpf", dir.path(), "bpf", MountFlags::empty(), None).expect("a bpffs");
            test(dir.path());
            unmount(dir.path(), rustix::mount::UnmountFlags::DETACH).expect("unmounts");
        });
    });
}

fn options(pins: Option<&std::path::Path>) -> Options {
    Options {
        pins: pins.map(ToOwned::to_owned),
        sizes: Sizes {
            conns4: 4096,
            conns6: 4096,
            table_entries: 1 << 17,
        },
    }
}

fn addresses() -> [SocketAddr; 2] {
    [
        "127.0.0.1:7117".parse().expect("an address"),
        "[::1]:7117".parse().expect("an address"),
    ]
}

/// Two sockets that listen at one address.
fn listeners(address: SocketAddr) -> Vec<Socket> {
    let one = || {
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
        socket.set_reuse_port(true)?;
        socket.set_nonblocking(true)?;
        socket.bind(&address.into())?;
        socket.listen(64)?;
        io::Result::Ok(socket)
    };
    vec![one().expect("listens"), one().expect("listens")]
}

/// Dials from many ports of a lane; how many of those came to each of the listeners.
fn spread(address: SocketAddr, listeners: &[Socket], lane: u16) -> Vec<usize> {
    let mut open = Vec::new();
    for port in 0..16_u16 {
        let socket =
            Socket::new(Domain::for_address(address), Type::STREAM, None).expect("a socket");
        socket.set_reuse_address(true).expect("sets");
        let from = SocketAddr::new(address.ip(), 40_000 + 8 * port + lane);
        socket.bind(&from.into()).expect("binds");
        socket
            .connect_timeout(&address.into(), Duration::from_secs(2))
            .expect("connects");
        // So that its port can be had again at once.
        socket.set_linger(Some(Duration::ZERO)).expect("sets");
        open.push(socket);
    }
    let accepted = |listener: &Socket| std::iter::from_fn(|| listener.accept().ok()).count();
    listeners.iter().map(accepted).collect()
}

#[test]
fn each_connection_comes_to_the_worker_of_its_lane() {
    isolated(|_| {
        let mut net = Net::open(&options(None)).expect("loads");
        for address in addresses() {
            let sockets = listeners(address);
            let by_hash = spread(address, &sockets, 6);
            assert!(by_hash[0] > 0 && by_hash[1] > 0, "{by_hash:?}");
            net.steer(&sockets, WORKERS).expect("steers");
            for lane in 0..6 {
                assert_eq!(spread(address, &sockets, lane), [16, 0], "lane {lane}");
            }
            assert_eq!(spread(address, &sockets, 6), [0, 16]);
            let nobody = spread(address, &sockets, 7);
            assert_eq!(nobody.iter().sum::<usize>(), 16, "by hash again");
            assert!(nobody[0] > 0 && nobody[1] > 0, "{nobody:?}");
        }
    });
}

#[test]
fn sockets_outlive_daemons_and_are_steered_all_the_while() {
    isolated(|root| {
        let [address, _] = addresses();
        let sockets = listeners(address);
        let mut net = Net::open(&options(Some(root))).expect("loads");
        net.steer(&sockets, WORKERS).expect("steers");
        drop(net);
        assert_eq!(spread(address, &sockets, 6), [0, 16], "nobody is there");

        // The next daemon has them by other descriptors, and wants it the other way round.
        let again: Vec<OwnedFd> = sockets
            .iter()
            .map(|socket| socket.try_clone().expect("duplicates").into())
            .collect();
        let mut net = Net::open(&options(Some(root))).expect("loads");
        assert!(net.adopted().maps);
        net.steer(&again, WORKERS.map(|worker| 1 - worker.min(1)))
            .expect("steers");
        assert_eq!(spread(address, &sockets, 6), [16, 0]);
        drop(net);

        // One that doesn't find the pins, as after a change of the ABI.
        assert!(unload(root).expect("unloads"));
        let mut net = Net::open(&options(Some(root))).expect("loads");
        net.steer(&again, WORKERS).expect("steers");
        assert_eq!(spread(address, &sockets, 6), [0, 16]);
        drop(net);
        assert!(unload(root).expect("unloads"));
        assert!(!root.join("ssi").exists());
    });
}

#[test]
fn sockets_that_do_not_share_their_port_are_refused() {
    isolated(|_| {
        let alone = std::net::TcpListener::bind("127.0.0.1:7117").expect("listens");
        let mut net = Net::open(&options(None)).expect("loads");
        let error = net.steer(&[alone], WORKERS).expect_err("not shared");
        assert!(error.to_string().contains("LISTENERS"), "{error}");
        net.steer(&Vec::<OwnedFd>::new(), WORKERS)
            .expect("nothing to do");
    });
}
