//! Every type and constant that crosses the kernel line.
//!
//! The BPF programs and the loader are built from this one crate, so a map's key and
//! value mean the same on both sides. The rules, checked by the assertions beside each
//! type: `#[repr(C)]`, no implicit padding, no `bool`, `enum` or `Option`, known size.
//!
//! Integers are in host byte order unless a field says "network order".
#![no_std]

mod addr;
pub mod bypass;
pub mod conn;
pub mod counter;
pub mod drive;
pub mod filter;
pub mod flow;
pub mod fragment;
pub mod hash;
pub mod limits;
pub mod link;
pub mod member;
pub mod probe;
pub mod proc;
pub mod server;
pub mod service;
pub mod settings;
pub mod siphash;
pub mod stats;
pub mod table;

pub use addr::Addr;

/// Changes whenever the layout or the meaning of any map changes. It is part of the pin
/// path (`/sys/fs/bpf/ssi/<ABI_VERSION>/`): a daemon reuses pinned maps only of its own
/// version.
pub const ABI_VERSION: u32 = 5;

/// Declares which types userspace may copy to and from maps byte by byte.
#[cfg(feature = "user")]
macro_rules! pod {
    ($($ty:ty),+ $(,)?) => {
        $(
            // SAFETY: `repr(C)`, plain integers only, no padding (asserted beside the type).
            unsafe impl aya::Pod for $ty {}
        )+
    };
}

#[cfg(feature = "user")]
pod!(
    Addr,
    bypass::End,
    conn::Conn4,
    conn::Conn6,
    conn::ConnKey4,
    conn::ConnKey6,
    drive::Plan,
    flow::Set,
    fragment::Fragment,
    fragment::FragmentKey,
    fragment::HeldFragment,
    link::Link,
    member::Key,
    member::Member,
    member::Own,
    member::PeerStats,
    proc::Event,
    proc::Layout,
    proc::Place,
    proc::Running,
    proc::Supervised,
    proc::Task,
    server::Load,
    server::Server,
    service::Service,
    service::ServiceKey,
    settings::Settings,
    stats::Stats,
    table::Block,
);
