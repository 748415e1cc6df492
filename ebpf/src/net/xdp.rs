//! Frames as XDP shows them: before the kernel has made anything of them.

use core::ffi::c_void;

use aya_ebpf::bindings::{xdp_action, xdp_md};
use aya_ebpf::helpers::{
    bpf_redirect, bpf_xdp_adjust_head, bpf_xdp_adjust_tail, bpf_xdp_get_buff_len,
    bpf_xdp_load_bytes,
};
use ssi_abi::link;

use crate::checksum::update;
use crate::headers::Ethernet;
use crate::maps::LINKS;
use crate::packet::{Covered, Packet, at, far};
use crate::parse;

/// The bit of an address's first byte that is set where it stands for many (IEEE 802).
const GROUP: u8 = 1;

/// An XDP frame.
#[derive(Clone, Copy)]
pub struct Xdp {
    pub ctx: *mut xdp_md,
}

impl Packet for Xdp {
    const PASS: i32 = xdp_action::XDP_PASS as i32;
    const DROP: i32 = xdp_action::XDP_DROP as i32;

    #[inline(always)]
    fn context(self) -> *mut c_void {
        self.ctx.cast()
    }

    #[inline(always)]
    fn start(self) -> usize {
        // SAFETY: the context is valid while the program runs.
        unsafe { (*self.ctx).data as usize }
    }

    #[inline(always)]
    fn end(self) -> usize {
        // SAFETY: as above.
        unsafe { (*self.ctx).data_end as usize }
    }

    #[inline(always)]
    fn length(self) -> u32 {
        // A frame in one piece, nearly always, needs no helper; in several pieces
        // (jumbo), the first is at least this long.
        let linear = (self.end() - self.start()) as u32;
        if linear < 2048 {
            return linear;
        }
        // SAFETY: a helper that only reads the context.
        unsafe { bpf_xdp_get_buff_len(self.ctx) as u32 }
    }

    #[inline(always)]
    fn ingress(self) -> u32 {
        // SAFETY: the context is valid while the program runs.
        unsafe { (*self.ctx).ingress_ifindex }
    }

    #[inline(always)]
    fn for_another(self) -> bool {
        let ifindex = self.ingress();
        let (Some(link), Some(ethernet)) =
            (LINKS.get(link::place(ifindex)), at::<Ethernet, _>(self, 0))
        else {
            return false;
        };
        // SAFETY: `at` checked that the header lies within the frame.
        let to = unsafe { (*ethernet).destination };
        link.ifindex == ifindex && to[0] & GROUP == 0 && to != link.mac
    }

    #[inline(always)]
    fn segmented(self) -> bool {
        false
    }

    #[inline(always)]
    fn redirect(self, ifindex: u32) -> i32 {
        if ifindex == self.ingress() {
            return xdp_action::XDP_TX as i32;
        }
        // SAFETY: a helper on plain values.
        unsafe { bpf_redirect(ifindex, 0) as i32 }
    }

    #[inline(always)]
    fn open(self, bytes: u32, _outer_v4: bool) -> bool {
        let Some(ethernet) = at::<Ethernet, _>(self, 0) else {
            return false;
        };
        // SAFETY: `at` checked that the header lies within the frame.
        let ethernet = unsafe { *ethernet };
        // SAFETY: a helper on our own context.
        if unsafe { bpf_xdp_adjust_head(self.ctx, -(bytes as i32)) } != 0 {
            return false;
        }
        put_ethernet(self, ethernet)
    }

    #[inline(always)]
    fn close(self, bytes: u32, inner_v4: bool) -> bool {
        use crate::headers::{ETHERTYPE_V4, ETHERTYPE_V6};
        let Some(ethernet) = at::<Ethernet, _>(self, 0) else {
            return false;
        };
        // SAFETY: `at` checked that the header lies within the frame.
        let mut ethernet = unsafe { *ethernet };
        ethernet.kind = if inner_v4 { ETHERTYPE_V4 } else { ETHERTYPE_V6 };
        // SAFETY: a helper on our own context.
        if unsafe { bpf_xdp_adjust_head(self.ctx, bytes as i32) } != 0 {
            return false;
        }
        put_ethernet(self, ethernet)
    }

    #[inline(always)]
    fn quote(self, keep: u32, bytes: u32) -> bool {
        let cut = keep as i32 - self.length() as i32;
        // SAFETY: a helper on our own context.
        cut < 0 && unsafe { bpf_xdp_adjust_tail(self.ctx, cut) } == 0 && self.open(bytes, true)
    }

    #[inline(always)]
    fn write<T: Copy>(self, offset: u32, value: &T) -> bool {
        let Some(place) = far::<T, _>(self, offset) else {
            return false;
        };
        // SAFETY: `far` checked that the place lies within the frame; headers are 2-aligned.
        unsafe { place.write_unaligned(*value) };
        true
    }

    #[inline(always)]
    fn sum(self, checksum: u32, difference: u32, covered: Covered) -> bool {
        let Some(place) = far::<[u8; 2], _>(self, checksum) else {
            return false;
        };
        // SAFETY: `far` checked that the place lies within the frame.
        let place = unsafe { &mut *place };
        let udp = matches!(covered, Covered::UdpData | Covered::UdpPseudo);
        if udp && *place == [0; 2] {
            return true;
        }
        let new = update(u16::from_ne_bytes(*place), u64::from(difference));
        // RFC 768: a UDP checksum that comes out as 0 is sent as all ones.
        *place = if udp && new == 0 {
            [0xff; 2]
        } else {
            new.to_ne_bytes()
        };
        true
    }

    #[inline(always)]
    fn resum_udp(self, checksum: u32, _difference: u32) -> bool {
        // On a virtual link the sender may have left the checksum to a device that never
        // came, and XDP can't tell. No checksum is right either way (RFC 768, RFC 6935).
        self.write(checksum, &0_u16)
    }

    #[inline(always)]
    fn prioritise(self, _priority: u32) {}

    #[inline(always)]
    fn extensions(self, protocol: u8) -> u64 {
        ssi_extensions_xdp(self.ctx, u32::from(protocol))
    }

    #[inline(always)]
    fn copy(self, to: *mut u8, len: u32) -> bool {
        // SAFETY: the caller's buffer holds `len` bytes.
        unsafe { bpf_xdp_load_bytes(self.ctx, 0, to.cast(), len) == 0 }
    }
}

#[inline(always)]
fn put_ethernet(packet: Xdp, ethernet: Ethernet) -> bool {
    let Some(place) = at::<Ethernet, _>(packet, 0) else {
        return false;
    };
    // SAFETY: `at` checked that the header lies within the frame.
    unsafe { *place = ethernet };
    true
}

/// [`parse::walk`].
#[unsafe(no_mangle)]
#[inline(never)]
pub extern "C" fn ssi_extensions_xdp(ctx: *mut xdp_md, protocol: u32) -> u64 {
    parse::walk(Xdp { ctx }, protocol as u8)
}
