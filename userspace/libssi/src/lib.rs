//! The cluster for programs: which nodes there are, and processes on any of them.
//!
//! ```no_run
//! use libssi::{Cluster, Command, Place};
//!
//! # fn main() -> Result<(), libssi::Error> {
//! let cluster = Cluster::local();
//! for node in cluster.membership()?.nodes {
//!     println!("{} {} {}", node.number, node.name, node.state);
//! }
//! let mut make = Command::new("make").arg("-j4").on(Place::Least).spawn()?;
//! println!("it is process {}", make.pid());
//! let status = make.wait()?;
//! # let _ = status;
//! # Ok(())
//! # }
//! ```
//!
//! Whoever may use the control socket of `ssid` (root, and the group `ssi`) may ask and send
//! signals; commands on other nodes are for whom `remote.group` in `ssi.toml` lets. What is
//! done to a process is what the kernel of its node lets the same user do there.
//!
//! Nothing is kept open: each call finds `ssid` anew, so it may be restarted at any time.
//!
//! C programs have the same by `ssi.h` and `libssi.so` or `libssi.a` (the folder `c`).

mod cluster;
mod command;
mod error;
mod membership;
mod program;

pub use cluster::Cluster;
pub use command::{Child, Command, Place};
pub use error::Error;
pub use membership::{Membership, Node, Transition};
pub use ssi_api::cluster::NodeState;
pub use ssi_api::process::{Cpid, NoPid, Pid};
