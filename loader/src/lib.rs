//! The one crate that talks to the kernel about BPF.
//!
//! [`kernel`] asks once what this kernel can do; [`Net`] loads the packet path, attaches
//! it to interfaces and pins everything, so that packets go on being handled when the
//! process that did it is gone; [`Proc`] does the same for process tracking; [`map`] has
//! one typed handle for each map. Nobody else touches a raw map.

mod bpffs;
mod bypass;
mod drive;
mod error;
pub mod kernel;
pub mod map;
mod net;
mod object;
mod proc;

pub use bypass::{Bypass, unload_bypass};
pub use drive::{Drive, Driven, Helper, Sender, Subject};
pub use error::LoadError;
pub use net::{
    Adopted, Attachment, Mode, Net, Options, Program, Sizes, TestOptions, TestOutcome, Working,
    unload,
};
pub use proc::{Entry, Events, Latencies, Proc, ProcOptions, Supervised, enter, leave};
