//! The connection scheduler's vocabulary: virtual services, real servers, connections.
//!
//! Names and meanings are IPVS's. The same types are what `ssi lvs` sends, what the
//! scheduler's core works on and what `-o json` prints.

mod command;
mod name;
mod spec;
mod view;

pub use command::Command;
pub use name::{Method, Protocol, Scheduler, ServerName, ServiceName, UnknownName};
pub use spec::{PortRange, ServerSpec, ServiceFlags, ServiceSpec, Timeouts};
pub use view::{ConnectionState, ConnectionView, Counters, Rates, ServerView, ServiceView};
