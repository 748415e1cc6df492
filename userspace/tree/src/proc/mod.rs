//! Clusterwide /proc: a directory of FUSE that shows the processes of all nodes as proc(5)
//! would if they were of one machine, by their clusterwide numbers.
//!
//! ```text
//! self              a link to the process that looks
//! 8389842/          process 1234 of node 2
//!     stat statm status cmdline comm environ limits maps io cgroup wchan
//!     where         its node's number and name
//!     exe cwd root  links, as on its node
//!     fd/0 …        links, as on its node
//! nodes/2/
//!     state load cpus mem uptime
//! ```
//!
//! A second one is /proc in `ssi shell`. In it, this node's processes have their plain numbers,
//! as they know themselves by these; they and whatever else /proc has are links into the node's
//! own, which the shell has at `node`.
//!
//! Nothing is kept here but for a second whose a process is and when a node was booted: every look is one at the process
//! itself, by `ssid`, with the rights that whoever looks would have on its node.

mod boots;
mod daemon;
mod entry;
mod files;
mod handles;
mod interrupt;
mod listing;
mod mount;
mod names;
mod node;
mod once;
mod own;
mod owners;
mod renumber;
mod sweeps;

pub use mount::{MountError, Places, serve};
