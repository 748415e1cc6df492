//! Frames onto an interface, as they are.

use std::io;
use std::mem::size_of;
use std::os::fd::AsRawFd as _;

use rustix::fd::OwnedFd;
use rustix::net::{AddressFamily, SocketFlags, SocketType, socket_with};

/// A packet socket that only sends.
#[derive(Debug)]
pub(super) struct Wire(OwnedFd);

impl Wire {
    /// Needs `CAP_NET_RAW`.
    pub(super) fn open() -> io::Result<Self> {
        // Protocol 0: it receives nothing.
        let socket = socket_with(
            AddressFamily::PACKET,
            SocketType::RAW,
            SocketFlags::CLOEXEC,
            None,
        )?;
        Ok(Self(socket))
    }

    /// Sends a frame, from its Ethernet header on.
    pub(super) fn send(&self, frame: &[u8], ifindex: u32) -> io::Result<()> {
        let protocol = frame
            .get(12..14)
            .and_then(|bytes| bytes.try_into().ok())
            .map_or(0, u16::from_ne_bytes);
        let to = libc::sockaddr_ll {
            sll_family: libc::AF_PACKET as u16,
            sll_protocol: protocol,
            sll_ifindex: ifindex.cast_signed(),
            sll_hatype: 0,
            sll_pkttype: 0,
            sll_halen: 0,
            sll_addr: [0; 8],
        };
        // SAFETY: the frame and the address are valid for the lengths given.
        let sent = unsafe {
            libc::sendto(
                self.0.as_raw_fd(),
                frame.as_ptr().cast(),
                frame.len(),
                0,
                (&raw const to).cast(),
                size_of::<libc::sockaddr_ll>() as libc::socklen_t,
            )
        };
        if sent < 0 {
            return Err(io::Error::last_os_error());
        }
        Ok(())
    }
}
