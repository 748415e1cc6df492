//! The scheduler's core: no I/O, no clock.

mod absent;
mod adopt;
mod agreed;
mod allocator;
mod check;
mod commit;
mod draft;
mod environment;
mod error;
mod filter;
pub mod hold;
mod import;
mod installed;
mod keys;
mod model;
mod packed;
mod rates;
mod record;
pub mod schedule;
mod step;
pub mod sweep;
mod tables;
mod view;
mod write;

pub use absent::Absent;
pub use adopt::Dump;
pub use agreed::{Agreed, AgreedService, MOST, Unusable};
pub use allocator::{Allocator, Full};
pub use environment::{Environment, Route};
pub use error::{Reason, Refused};
pub use model::{Model, Tuning};
pub use packed::{Damaged, Packed};
pub use rates::{Meter, Snapshot};
pub use step::Step;
pub use view::Seen;
pub use write::Write;
