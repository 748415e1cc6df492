//! Supervision as it runs: processes, cgroups, descriptors, files.
//!
//! Linux with pidfds, clone3(2), close_range(2) and `cgroup.kill` (5.14), and cgroup2 mounted;
//! root.

mod cgroup;
mod cgroup1;
mod end;
mod exit;
mod files;
mod journal;
mod local;
pub mod log;
mod outside;
mod past;
mod spawn;
mod store;
mod system;
mod user;

pub use cgroup::{Cgroup, Cgroups, Seat};
pub use end::{end_all, is_empty};
pub use files::load;
pub use local::{Local, Places, now};
pub use outside::run_within;
pub use past::{Entered, PastExits};
pub use store::Store;
pub use system::System;
