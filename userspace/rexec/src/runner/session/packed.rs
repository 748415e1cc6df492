//! What comes from the daemon: one packet, with a connection.

use std::ffi::OsStr;
use std::io::{self, ErrorKind};
use std::net::TcpStream;
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt as _;
use std::path::PathBuf;

use crate::core::Packed;
use crate::runner::pass::receive;
use crate::runner::talk::unpacked;

/// The longest packet: the kernel lets a process have 65,536 groups.
pub(in crate::runner) const LONGEST: usize = 512 << 10;

/// Waits for it; none: the daemon has gone.
pub(super) fn take(daemon: impl AsFd) -> io::Result<Option<(Packed, TcpStream)>> {
    let mut bytes = vec![0; LONGEST];
    let (count, connection) = receive(daemon, &mut bytes)?;
    if count == 0 {
        return Ok(None);
    }
    let connection = connection.ok_or(ErrorKind::InvalidData)?;
    let packed = unpacked(&bytes[..count])?;
    Ok(Some((packed, connection.into())))
}

/// A path from its bytes.
pub(super) fn path(bytes: &[u8]) -> PathBuf {
    OsStr::from_bytes(bytes).into()
}
