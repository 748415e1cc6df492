//! What comes from the daemon: one packet, with a connection.

use std::ffi::OsStr;
use std::io::{self, ErrorKind, IoSliceMut};
use std::mem::MaybeUninit;
use std::net::TcpStream;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::path::PathBuf;

use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, recvmsg};

use crate::core::Packed;
use crate::runner::talk::unpacked;

/// The longest packet: the kernel lets a process have 65,536 groups.
pub(in crate::runner) const LONGEST: usize = 512 << 10;

/// Waits for it; none: the daemon has gone.
pub(super) fn take(daemon: impl AsFd) -> io::Result<Option<(Packed, TcpStream)>> {
    let mut bytes = vec![0; LONGEST];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let message = loop {
        let mut slices = [IoSliceMut::new(&mut bytes)];
        match recvmsg(&daemon, &mut slices, &mut control, RecvFlags::CMSG_CLOEXEC) {
            Err(rustix::io::Errno::INTR) => {}
            result => break result?,
        }
    };
    if message.bytes == 0 {
        return Ok(None);
    }
    let mut connection: Option<OwnedFd> = None;
    for message in control.drain() {
        if let RecvAncillaryMessage::ScmRights(descriptors) = message {
            connection = descriptors.last().or(connection);
        }
    }
    let connection = connection.ok_or(ErrorKind::InvalidData)?;
    let packed = unpacked(&bytes[..message.bytes])?;
    Ok(Some((packed, connection.into())))
}

/// A path from its bytes.
pub(super) fn path(bytes: &[u8]) -> PathBuf {
    OsStr::from_bytes(bytes).into()
}
