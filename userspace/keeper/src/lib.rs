//! Sockets that go on listening while no daemon runs: whoever connects waits for the next
//! one instead of being refused.
//!
//! Something has to hold them. If systemd offers its store of descriptors (`FDSTORE` in the
//! environment), that does; else a process of our own, which this daemon starts and which
//! outlives it: the *keeper*. It holds descriptors, hands them to the next daemon, and does
//! nothing else.
//!
//! The keeper stays in the daemon's cgroup: where a cgroup stands for a machine, what
//! stops the machine has to stop the keeper with it. (A service of systemd's that has no
//! store loses the keeper with the service; give it one: `FileDescriptorStoreMax=`.)

mod address;
mod keeper;
mod message;
mod place;
mod process;
mod serve;
mod store;

pub use keeper::Keeper;
pub use process::end;
pub use serve::serve_if_asked;
