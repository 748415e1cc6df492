//! Processes, as the control socket speaks of them.

mod cpid;
mod request;
mod view;

pub use cpid::{Cpid, NoPid, Pid};
pub use request::ProcessRequest;
pub use view::{LoadView, ProcessView, ProcessesView};
