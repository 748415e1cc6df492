//! Processes, as the control socket speaks of them.

mod request;
mod view;

pub use request::ProcessRequest;
pub use view::{LoadView, ProcessView, ProcessesView};
