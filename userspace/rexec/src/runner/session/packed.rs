//! What comes from the daemon: one packet, with a connection.

use std::ffi::OsStr;
use std::io::{self, ErrorKind, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::net::TcpStream;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::path::PathBuf;

use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, recvmsg, sendmsg,
};

use crate::core::Packed;
use crate::runner::talk::unpacked;

/// The longest packet: the kernel lets a process have 65,536 groups.
const LONGEST: usize = 512 << 10;

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

/// Hands a connection over to a session, with what it has to know.
pub(in crate::runner) fn hand_over(
    session: impl AsFd,
    packed: &Packed,
    connection: impl AsFd,
) -> io::Result<()> {
    let bytes = postcard::to_stdvec(packed).map_err(io::Error::other)?;
    let connection = [connection.as_fd()];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    if bytes.len() > LONGEST || !control.push(SendAncillaryMessage::ScmRights(&connection)) {
        return Err(io::Error::other("too much for a session"));
    }
    let flags = SendFlags::NOSIGNAL | SendFlags::DONTWAIT;
    sendmsg(session, &[IoSlice::new(&bytes)], &mut control, flags)?;
    Ok(())
}

/// A path from its bytes.
pub(super) fn path(bytes: &[u8]) -> PathBuf {
    OsStr::from_bytes(bytes).into()
}
