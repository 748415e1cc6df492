//! The scheduler's core: no I/O, no clock.

mod adopt;
mod allocator;
mod check;
mod commit;
mod draft;
mod environment;
mod error;
mod filter;
pub mod hold;
mod installed;
mod keys;
mod model;
mod rates;
mod record;
pub mod schedule;
pub mod sweep;
mod tables;
mod view;
mod write;

pub use adopt::Dump;
pub use allocator::{Allocator, Full};
pub use environment::{Environment, Route};
pub use error::{Reason, Refused};
pub use model::{Model, Tuning};
pub use rates::{Meter, Snapshot};
pub use view::Seen;
pub use write::Write;
