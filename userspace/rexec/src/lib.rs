//! Remote execution: a command runs on another node, and is a local child all the same.
//!
//! Whoever wants it starts a *surrogate* (`ssi run`, `onnode`): the caller's real child, with
//! its standard streams, its terminal and its process group. On the other node a *session*
//! has the command as its child, as the same user. Surrogate and session talk to each other
//! over a connection of their own: daemons only introduce them, so that none of them has to
//! live on for the command to.
//!
//! `core` has what is said, as plain state machines; `runner` does the I/O.

pub mod core;
pub mod runner;

/// The port where nodes take connections of other nodes' surrogates (TCP).
pub const PORT: u16 = 7119;

/// The socket, beside the control socket, where the daemon is asked to run something.
pub const SOCKET: &str = "run.sock";

/// The program that has a command: it waits beside the daemon until it gets a connection.
pub const SESSION: &str = "ssi-session";
