//! A service manager's store, as systemd has it: what it takes over its socket, and how it
//! gives it to the next process (sd_pid_notify_with_fds(3), sd_listen_fds(3)).

use std::io::IoSliceMut;
use std::mem::MaybeUninit;
use std::net::SocketAddr;
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::os::unix::net::UnixDatagram;
use std::os::unix::process::CommandExt as _;
use std::process::Command;

use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, recvmsg};

use crate::daemon::{Daemon, Place, connect, echoes};

const ADDRESS: ([u8; 4], u16) = ([127, 119, 3, 1], 7117);

/// A message and what came with it.
fn receive(socket: &UnixDatagram) -> (String, Vec<OwnedFd>) {
    let mut bytes = [0; 256];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(8))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let mut slices = [IoSliceMut::new(&mut bytes)];
    let message =
        recvmsg(socket, &mut slices, &mut control, RecvFlags::CMSG_CLOEXEC).expect("a message");
    let mut sockets = Vec::new();
    for message in control.drain() {
        if let RecvAncillaryMessage::ScmRights(descriptors) = message {
            sockets.extend(descriptors);
        }
    }
    let text = String::from_utf8_lossy(&bytes[..message.bytes]).into_owned();
    (text, sockets)
}

/// Everything that a daemon says at its start.
fn stored(socket: &UnixDatagram) -> Vec<OwnedFd> {
    let (text, none) = receive(socket);
    assert_eq!(
        (text.as_str(), none.len()),
        ("FDSTOREREMOVE=1\nFDNAME=ssi", 0)
    );
    let (text, sockets) = receive(socket);
    assert_eq!(text, "FDSTORE=1\nFDNAME=ssi\nFDPOLL=0");
    sockets
}

/// Passes two descriptors, after one that is somebody else's, to a process from 3 on.
fn pass(command: &mut Command, sockets: Vec<OwnedFd>) {
    let other: OwnedFd = std::fs::File::open("/dev/null").expect("opens").into();
    let all: [OwnedFd; 3] = std::iter::once(other)
        .chain(sockets)
        .collect::<Vec<_>>()
        .try_into()
        .expect("two sockets");
    command
        .env("LISTEN_FDS", "3")
        .env("LISTEN_FDNAMES", "other:ssi:ssi");
    let place = move || {
        // High first, so that none is overwritten before its turn.
        let mut high = [0; 3];
        for (high, socket) in high.iter_mut().zip(&all) {
            // SAFETY: a valid descriptor.
            *high = unsafe { libc::fcntl(socket.as_raw_fd(), libc::F_DUPFD_CLOEXEC, 100) };
        }
        for (place, high) in (3..).zip(high) {
            // SAFETY: whatever is at its place is not used before the next program begins.
            if unsafe { libc::dup2(high, place) } < 0 {
                return Err(std::io::Error::last_os_error());
            }
        }
        Ok(())
    };
    // SAFETY: only system calls.
    unsafe { command.pre_exec(place) };
}

pub fn the_managers_store_is_used() {
    let (place, address) = (Place::new(), SocketAddr::from(ADDRESS));
    let path = place.path().join("notify");
    let manager = UnixDatagram::bind(&path).expect("binds");
    let under_it = |command: &mut Command| {
        command.env("NOTIFY_SOCKET", &path).env("FDSTORE", "16");
    };
    let daemon = Daemon::start_with(place.path(), address, 2, under_it);
    assert!(!daemon.found);
    let sockets = stored(&manager);
    assert_eq!(sockets.len(), 2);
    assert!(
        !place.path().join("keeper.sock").exists(),
        "no keeper of ours"
    );
    daemon.kill();
    let waiting = connect(address).expect("it is not refused");
    let daemon = Daemon::start_with(place.path(), address, 2, |command| {
        under_it(command);
        pass(command, sockets);
    });
    assert!(daemon.found);
    assert!(echoes(&waiting));
    assert_eq!(stored(&manager).len(), 2);
}
