//! /proc: the same records where there is no tracing.
//!
//! Every process costs four files to be opened and read, and four more for each thread of
//! one that has several: tens of microseconds, where the kernel's iterator takes one.

mod cgroup;
pub(crate) mod parse;
mod scan;
mod sched;
mod stat;
mod status;

pub use cgroup::{mount_point, unified_path};
pub use scan::Scanner;
pub use sched::Sched;
pub use stat::Stat;
pub use status::Status;
