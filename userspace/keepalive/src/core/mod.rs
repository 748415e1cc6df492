//! Supervision without I/O, clock or threads: the same in the daemon and in a property test.
//!
//! A [`Supervisor`] is one node's part: it is told what happens ([`Event`]) and the time, and
//! answers what is to be done ([`Action`]). Which node runs what is decided elsewhere
//!.

mod action;
mod condition;
mod event;
mod exit;
mod id;
mod instance;
mod record;
mod state;
mod supervisor;
#[cfg(test)]
mod tests;
mod time;

pub use action::{Action, Signal};
pub use condition::Condition;
pub use event::{Event, Heard, Order};
pub use exit::{Exit, Failure};
pub use id::{Id, Main, Run};
pub use instance::Kept;
pub use record::{Carried, Record};
pub use state::State;
pub use supervisor::{Status, Supervisor};
pub use time::Time;
