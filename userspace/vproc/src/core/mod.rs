//! What is known of processes. No I/O, no clock: records, events and times come in.

mod event;
mod fold;
mod process;
mod snapshot;
mod table;

pub use event::{Event, Exit, Status, What};
pub use fold::fold;
pub use process::{Comm, Id, Process, State};
pub use snapshot::Snapshot;
pub use ssi_api::process::Cpid;
pub use table::{Change, Table};
