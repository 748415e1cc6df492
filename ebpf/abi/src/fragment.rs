//! Fragments: all of a datagram follow its first one, which alone has the ports.

use crate::Addr;

/// A fragmented datagram (RFC 791 §2.3, RFC 8200 §4.5).
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct FragmentKey {
    /// Source address.
    pub source: Addr,
    /// Destination address.
    pub destination: Addr,
    /// The identification field, as it lies in the packet.
    pub id: u32,
    /// IPv4: 6, 17, …; IPv6: 0, because fragments may name different next headers.
    pub protocol: u32,
}

const _: () = assert!(size_of::<FragmentKey>() == 40);

/// Where the first fragment went.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fragment {
    /// The server, as [`crate::server::server_ref`]; 0: the director's own stack.
    pub server: u32,
    /// Low 32 bits of jiffies when the first fragment came.
    pub seen: u32,
}

const _: () = assert!(size_of::<Fragment>() == 8);

/// Bytes of a held frame.
pub const HELD_FRAME: usize = 2_048;

/// A fragment that came before its first one: the program hands it to userspace through
/// the ring `HELD`, which sends it after the first fragment once that has come.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeldFragment {
    /// Its datagram.
    pub key: FragmentKey,
    /// Where it came in.
    pub ifindex: u32,
    /// Bytes of `frame` in use.
    pub len: u32,
    /// The frame, from its Ethernet header on.
    pub frame: [u8; HELD_FRAME],
}

const _: () = assert!(size_of::<HeldFragment>() == 48 + HELD_FRAME);
