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
//!     state load cpus mem
//! ```
//!
//! Nothing is kept here but for a second whose a process is: every look is one at the process
//! itself, by `ssid`, with the rights that whoever looks would have on its node.

mod daemon;
mod entry;
mod files;
mod handles;
mod interrupt;
mod listing;
mod mount;
mod node;
mod owners;
mod renumber;

pub use mount::{MountError, serve};
