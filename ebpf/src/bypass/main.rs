//! The way around the network stack between nodes that share a kernel: what one end of a
//! connection sends goes to the other end's socket at once. No packet is made, so the
//! packet path sees none: what it would refuse, this refuses, and counts.
#![no_std]
#![no_main]
#![expect(
    missing_docs,
    reason = "the entry macros generate items that cannot be documented"
)]
#![expect(
    unreachable_pub,
    reason = "a program has no API; `pub` marks what a module offers the others"
)]

#[path = "../member.rs"]
mod member;

use aya_ebpf::bindings::sk_action::{SK_DROP, SK_PASS};
use aya_ebpf::bindings::{BPF_F_INGRESS, sk_msg_md};
use aya_ebpf::btf_maps::SockHash;
use aya_ebpf::macros::{btf_map, sk_msg};
use aya_ebpf::programs::SkMsgContext;
use ssi_abi::bypass::End;
use ssi_abi::member::LANES;
use ssi_abi::probe::PORT;
use ssi_abi::{Addr, counter, limits};

/// Address family of the kernel's `socket.h`.
const AF_INET6: u32 = 10;

/// Ends of connections, of all nodes of this kernel together.
#[btf_map]
static ENDS: SockHash<End, { limits::ENDS }> = SockHash::new();
/// Those of this node: what they send comes by here.
#[btf_map]
static OWN_ENDS: SockHash<End, { limits::ENDS }> = SockHash::new();

/// Whatever an end of this node sends.
#[sk_msg]
pub fn ssi_bypass(ctx: SkMsgContext) -> u32 {
    let end = end(ctx.msg);
    if member::lease_is_over() {
        member::event(counter::LEASE_ENDED);
        return SK_DROP;
    }
    let Some(node) = member::number(&end.remote) else {
        member::event(counter::FENCED);
        return SK_DROP;
    };
    let bytes = u64::from(ctx.size());
    let other = End {
        local: end.remote,
        remote: end.local,
        local_port: end.remote_port,
        remote_port: end.local_port,
    };
    let port = if end.local_port == u32::from(PORT) {
        end.remote_port
    } else {
        end.local_port
    };
    if ENDS.redirect_msg(ctx, other, u64::from(BPF_F_INGRESS)) == i64::from(SK_PASS) {
        member::said(node, port & (LANES - 1), |stats| {
            stats.out_packets += 1;
            stats.out_bytes += bytes;
        });
    }
    // An end that isn't there is reached through the stack, which counts for itself.
    SK_PASS
}

/// The end that sends.
#[inline(always)]
fn end(msg: *mut sk_msg_md) -> End {
    // The verifier knows fields of the context by constant offsets only, so each is read by
    // an instruction of its own, whatever the compiler would rather do.
    macro_rules! field {
        ($($field:tt)+) => {
            // SAFETY: the context is valid while the program runs.
            unsafe { (&raw const (*msg).$($field)+).read_volatile() }
        };
    }
    let v6 = field!(family) == AF_INET6;
    let (local4, remote4) = (field!(local_ip4), field!(remote_ip4));
    let local6 = [
        field!(local_ip6[0]),
        field!(local_ip6[1]),
        field!(local_ip6[2]),
        field!(local_ip6[3]),
    ];
    let remote6 = [
        field!(remote_ip6[0]),
        field!(remote_ip6[1]),
        field!(remote_ip6[2]),
        field!(remote_ip6[3]),
    ];
    let (local, remote) = if v6 {
        (Addr { words: local6 }, Addr { words: remote6 })
    } else {
        (Addr::v4(local4), Addr::v4(remote4))
    };
    End {
        local,
        remote,
        local_port: field!(local_port),
        remote_port: u32::from_be(field!(remote_port)),
    }
}

#[cfg(not(test))]
#[panic_handler]
fn panic(_info: &core::panic::PanicInfo<'_>) -> ! {
    // SAFETY: the verifier refuses any program in which this could be reached.
    unsafe { core::hint::unreachable_unchecked() }
}

#[unsafe(link_section = "license")]
#[unsafe(no_mangle)]
static LICENSE: [u8; 13] = *b"Dual MIT/GPL\0";
