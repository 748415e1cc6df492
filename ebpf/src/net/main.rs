//! The packet path: parse → filter → connection table or schedule → forward.
//!
//! One scheduling core, three entries: XDP, tc ingress, and tc egress for the replies of
//! NAT servers that are this node itself. `packet` is what the core asks of an entry.
#![no_std]
#![no_main]
#![expect(
    missing_docs,
    reason = "the entry macros generate items that cannot be documented"
)]
#![expect(
    internal_features,
    reason = "core::intrinsics is how Rust 1.95 spells BPF atomics"
)]
#![feature(core_intrinsics)]
#![expect(
    unreachable_pub,
    reason = "a program has no API; `pub` marks what a module offers the others"
)]

mod atomic;
mod balance;
mod chance;
mod checksum;
mod choice;
mod conntrack;
mod count;
mod family;
mod fence;
mod flow;
mod forward;
mod fragment;
mod headers;
mod icmp;
mod lane;
mod maps;
#[path = "../member.rs"]
mod member;
mod nat;
mod neighbour;
mod packet;
mod parse;
mod probe;
mod route;
mod schedule;
mod service;
mod tc;
mod too_big;
mod tunnel;
mod xdp;

use aya_ebpf::bindings::sk_action::SK_PASS;
use aya_ebpf::macros::{classifier, sk_reuseport, xdp as xdp_entry};
use aya_ebpf::programs::{SkReuseportContext, TcContext, XdpContext};

use crate::tc::Tc;
use crate::xdp::Xdp;

/// Every frame that comes in on an interface, before the kernel has made anything of it.
#[xdp_entry(frags)]
pub fn ssi_xdp(ctx: XdpContext) -> u32 {
    balance::frame(Xdp { ctx: ctx.ctx }) as u32
}

/// The same for interfaces where XDP costs more than it saves.
#[classifier]
pub fn ssi_tc(ctx: TcContext) -> i32 {
    let packet = Tc { skb: ctx.skb.skb };
    packet.pull();
    balance::frame(packet)
}

/// What this node itself answers as the real server of a NAT service leaves with the
/// virtual address.
#[classifier]
pub fn ssi_egress(ctx: TcContext) -> i32 {
    let packet = Tc { skb: ctx.skb.skb };
    packet.pull();
    nat::leaving(packet)
}

/// A new connection to the cluster's port.
#[sk_reuseport]
pub fn ssi_lane(ctx: SkReuseportContext) -> u32 {
    lane::select(&ctx);
    SK_PASS
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
