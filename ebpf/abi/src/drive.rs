//! What the benchmark tells its driver programs.

/// Bytes of a frame's start that the driver writes anew before each run: Ethernet, IPv6
/// and TCP header. A frame is at least this long.
pub const HEAD: usize = 80;

/// Bits of a flow number that go into the client's port; the rest go into its address.
pub const PORT_BITS: u32 = 14;

/// The frame to make before each run.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// The frame's first bytes, as they lie in memory.
    pub head: [u64; HEAD / 8],
    /// Bytes of the whole frame.
    pub length: u32,
    /// Which bits of the flow number change from frame to frame: 0 for one flow,
    /// 2ⁿ − 1 for 2ⁿ flows, all ones for a new flow each time.
    pub mask: u32,
    /// Offset of the last four bytes of the client's address.
    pub address: u32,
    /// Offset of the client's port.
    pub port: u32,
}

const _: () = assert!(size_of::<Plan>() == 96);

/// The flow of the frame with this number. Consecutive frames are of flows far apart, so
/// that no cache line and no prefetcher serves two in a row; 2ⁿ consecutive frames under a
/// mask of n bits are of 2ⁿ different flows, because the factor is odd.
#[inline(always)]
#[must_use]
pub const fn flow(frame: u32, mask: u32) -> u32 {
    frame.wrapping_mul(0x9e37_79b1) & mask
}

/// Last four bytes of the address of a flow's client, host order: 10.64.0.0/10.
#[inline(always)]
#[must_use]
pub const fn client_address(flow: u32) -> u32 {
    0x0a40_0000 + (flow >> PORT_BITS)
}

/// Port of a flow's client, host order: 32768..=49151.
#[inline(always)]
#[must_use]
pub const fn client_port(flow: u32) -> u16 {
    0x8000 | (flow & ((1 << PORT_BITS) - 1)) as u16
}
