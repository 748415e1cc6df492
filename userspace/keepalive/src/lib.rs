//! Supervision: what must run keeps running, on one node or another.
//!
//! * [`config`] is what operators write: files, and the options of the original's
//!   `spawndaemon`.
//! * [`core`] is one node's part: a [`Supervisor`](core::Supervisor) keeps alive what was
//!   placed on its node.
//! * [`placement`] says which node runs what.
//! * [`readiness`] is what nodes tell each other of what their instances are good for, and
//!   [`balance`] which nodes are real servers because of it.
//! * [`agreed`] is what all nodes agree on, entry by entry of the view log.
//! * [`runner`] does it: [`Local`](runner::Local) is a supervisor with processes, cgroups and
//!   files.
//!
//! All but the last are pure: events and time in, actions out.
//!
//! # How it is to be wired
//!
//! `ssid` owns a [`Local`](runner::Local) and waits for [`step`](runner::Local::step) beside
//! everything else it waits for. What it hears from the other subsystems it says with
//! [`tell`](runner::Local::tell):
//!
//! | event | comes from |
//! |---|---|
//! | `Configured` | the view log: an entry with a configuration that [`load`](runner::load) found right on the node where it was applied |
//! | `Place`, `Release` | the view log: entries with moves. Those with this node's name in them; after a start, all that the log says this node has |
//! | `Order` | the control socket, here or at another node |
//! | `Elsewhere` | the other nodes' `ssid`, over ICS ([`readiness`]), whenever a process becomes ready there or no longer is |
//! | `NodeDown` | the view |
//! | `Fence`, `Unfence`, `Lost` | membership's outputs `Fence`, `Unfence`, `Rejoin` |
//! | `Heard`, `Tick` | nobody: `Local` says them itself |
//!
//! What [`said`](runner::Local::said) answers goes the other way:
//!
//! | action | goes to |
//! |---|---|
//! | `Report` | the journal, `ssi service events` |
//! | `Condition` | the other nodes ([`readiness`]), of which the master makes the nodes real servers of virtual services ([`balance`]) |
//! | `Gone` | the view log, as [`Released`](placement::Move::Released) once all of a slot's instances are gone; with what the next node is to know |
//! | `Elsewhere` | the view log, as [`Refused`](placement::Move::Refused) |
//!
//! The master calls [`plan`](placement::plan()) whenever the view, the configuration or the
//! assignment has changed, and writes what comes out to the log. A life of a node is
//! membership's node and incarnation; it is [`Lost`](placement::Presence::Lost) from the
//! moment it is out of the view, and [`Gone`](placement::Presence::Gone) when membership may
//! give away what it owned: when its lease is over for certain. A move that was lost with a
//! master, or a release with an `ssid`, is planned or said again: both do nothing the second
//! time.

pub mod agreed;
pub mod balance;
pub mod config;
pub mod core;
mod node;
pub mod placement;
pub mod readiness;
pub mod runner;

pub use node::{Node, NotANode};
