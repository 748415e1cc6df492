//! The interfaces that frames come in on, as far as XDP can't tell by the frame.

use crate::limits::LINKS;

/// What `LINKS` says of an interface: its record is at [`place`], unless another interface has
/// that.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Link {
    /// Its number; 0 for no interface.
    pub ifindex: u32,
    /// Its own address: unicast frames to another one are for another host.
    pub mac: [u8; 6],
    /// Zero.
    pub pad: u16,
}

const _: () = assert!(size_of::<Link>() == 12);

/// Where in `LINKS` an interface is.
#[inline(always)]
#[must_use]
pub const fn place(ifindex: u32) -> u32 {
    ifindex % LINKS as u32
}
