//! Frames as tc shows them: socket buffers, perhaps several segments in one, perhaps
//! with checksums still to be filled in by the device. Only helpers keep those right.

use core::ffi::c_void;

use aya_ebpf::bindings::{
    __sk_buff, BPF_F_ADJ_ROOM_DECAP_L3_IPV4, BPF_F_ADJ_ROOM_DECAP_L3_IPV6,
    BPF_F_ADJ_ROOM_ENCAP_L3_IPV4, BPF_F_ADJ_ROOM_ENCAP_L3_IPV6, BPF_F_MARK_MANGLED_0,
    BPF_F_PSEUDO_HDR, TC_ACT_OK, TC_ACT_SHOT, bpf_adj_room_mode::BPF_ADJ_ROOM_MAC,
};
use aya_ebpf::helpers::{
    bpf_l3_csum_replace, bpf_l4_csum_replace, bpf_redirect, bpf_skb_adjust_room,
    bpf_skb_change_tail, bpf_skb_load_bytes, bpf_skb_pull_data, bpf_skb_store_bytes,
};

use crate::headers::{ETHERTYPE_V4, ETHERTYPE_V6, Ethernet};
use crate::packet::{Covered, Packet, at};
use crate::parse;

/// A socket buffer.
#[derive(Clone, Copy)]
pub struct Tc {
    pub skb: *mut __sk_buff,
}

/// `PACKET_OTHERHOST` of `uapi/linux/if_packet.h`.
const OTHER_HOST: u32 = 3;
/// Bytes that hold every header we look at, nearly always.
const HEADERS: u32 = 192;

impl Tc {
    /// Makes the headers readable where the device left them in fragments.
    #[inline(always)]
    pub fn pull(self) {
        let linear = (self.end() - self.start()) as u32;
        let wanted = if self.length() < HEADERS {
            self.length()
        } else {
            HEADERS
        };
        if linear < wanted {
            // SAFETY: a helper on our own context. If it fails, parsing sees a short frame.
            unsafe { bpf_skb_pull_data(self.skb, wanted) };
        }
    }
}

impl Packet for Tc {
    const PASS: i32 = TC_ACT_OK;
    const DROP: i32 = TC_ACT_SHOT;

    #[inline(always)]
    fn context(self) -> *mut c_void {
        self.skb.cast()
    }

    #[inline(always)]
    fn start(self) -> usize {
        // SAFETY: the context is valid while the program runs.
        unsafe { (*self.skb).data as usize }
    }

    #[inline(always)]
    fn end(self) -> usize {
        // SAFETY: as above.
        unsafe { (*self.skb).data_end as usize }
    }

    #[inline(always)]
    fn length(self) -> u32 {
        // SAFETY: as above.
        unsafe { (*self.skb).len }
    }

    #[inline(always)]
    fn ingress(self) -> u32 {
        // SAFETY: as above.
        unsafe { (*self.skb).ifindex }
    }

    #[inline(always)]
    fn for_another(self) -> bool {
        // SAFETY: as above.
        unsafe { (*self.skb).pkt_type == OTHER_HOST }
    }

    #[inline(always)]
    fn segmented(self) -> bool {
        // SAFETY: as above.
        unsafe { (*self.skb).gso_size != 0 }
    }

    #[inline(always)]
    fn redirect(self, ifindex: u32) -> i32 {
        // SAFETY: a helper on plain values.
        unsafe { bpf_redirect(ifindex, 0) as i32 }
    }

    #[inline(always)]
    fn open(self, bytes: u32, outer_v4: bool) -> bool {
        let flags = if outer_v4 {
            BPF_F_ADJ_ROOM_ENCAP_L3_IPV4
        } else {
            BPF_F_ADJ_ROOM_ENCAP_L3_IPV6
        };
        self.room(bytes as i32, flags as u64)
    }

    #[inline(always)]
    fn close(self, bytes: u32, inner_v4: bool) -> bool {
        let (flags, kind) = if inner_v4 {
            (BPF_F_ADJ_ROOM_DECAP_L3_IPV4, ETHERTYPE_V4)
        } else {
            (BPF_F_ADJ_ROOM_DECAP_L3_IPV6, ETHERTYPE_V6)
        };
        if !self.room(-(bytes as i32), flags as u64) {
            return false;
        }
        let Some(ethernet) = at::<Ethernet, _>(self, 0) else {
            return false;
        };
        // SAFETY: `at` checked that the header lies within the frame.
        unsafe { (*ethernet).kind = kind };
        true
    }

    #[inline(always)]
    fn quote(self, keep: u32, bytes: u32) -> bool {
        // SAFETY: a helper on our own context.
        let cut = unsafe { bpf_skb_change_tail(self.skb, keep, 0) == 0 };
        cut && self.room(bytes as i32, 0)
    }

    #[inline(always)]
    fn write<T: Copy>(self, offset: u32, value: &T) -> bool {
        let from = core::ptr::from_ref(value).cast();
        // SAFETY: a helper on our own context; it checks the offset.
        unsafe { bpf_skb_store_bytes(self.skb, offset, from, size_of::<T>() as u32, 0) == 0 }
    }

    #[inline(always)]
    fn sum(self, checksum: u32, difference: u32, covered: Covered) -> bool {
        let pseudo = u64::from(BPF_F_PSEUDO_HDR);
        let udp = u64::from(BPF_F_MARK_MANGLED_0);
        let difference = u64::from(difference);
        // Size 0 in the flags: the last argument but one is a difference of sums.
        // SAFETY: helpers on our own context; they check the offset.
        unsafe {
            match covered {
                Covered::Header => bpf_l3_csum_replace(self.skb, checksum, 0, difference, 0) == 0,
                Covered::Data => bpf_l4_csum_replace(self.skb, checksum, 0, difference, 0) == 0,
                Covered::Pseudo => {
                    bpf_l4_csum_replace(self.skb, checksum, 0, difference, pseudo) == 0
                }
                Covered::UdpData => {
                    bpf_l4_csum_replace(self.skb, checksum, 0, difference, udp) == 0
                }
                Covered::UdpPseudo => {
                    bpf_l4_csum_replace(self.skb, checksum, 0, difference, pseudo | udp) == 0
                }
            }
        }
    }

    #[inline(always)]
    fn resum_udp(self, checksum: u32, difference: u32) -> bool {
        self.sum(checksum, difference, Covered::UdpData)
    }

    #[inline(always)]
    fn prioritise(self, priority: u32) {
        // SAFETY: the context is valid while the program runs.
        unsafe { (*self.skb).priority = priority };
    }

    #[inline(always)]
    fn extensions(self, protocol: u8) -> u64 {
        ssi_extensions_tc(self.skb, u32::from(protocol))
    }

    #[inline(always)]
    fn copy(self, to: *mut u8, len: u32) -> bool {
        // SAFETY: the caller's buffer holds `len` bytes.
        unsafe { bpf_skb_load_bytes(self.skb.cast(), 0, to.cast(), len) == 0 }
    }
}

impl Tc {
    #[inline(always)]
    fn room(self, bytes: i32, flags: u64) -> bool {
        // SAFETY: a helper on our own context.
        unsafe { bpf_skb_adjust_room(self.skb, bytes, BPF_ADJ_ROOM_MAC, flags) == 0 }
    }
}

/// [`parse::walk`].
#[unsafe(no_mangle)]
#[inline(never)]
pub extern "C" fn ssi_extensions_tc(skb: *mut __sk_buff, protocol: u32) -> u64 {
    parse::walk(Tc { skb }, protocol as u8)
}
