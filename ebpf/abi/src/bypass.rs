//! The way around the network stack between nodes that share a kernel.

use crate::Addr;

/// One end of a connection between two nodes; the key of `ENDS` and `OWN_ENDS`, whose
/// values are sockets.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct End {
    /// Its own address.
    pub local: Addr,
    /// That of the other end.
    pub remote: Addr,
    /// Its own port.
    pub local_port: u32,
    /// That of the other end.
    pub remote_port: u32,
}

const _: () = assert!(size_of::<End>() == 40);
