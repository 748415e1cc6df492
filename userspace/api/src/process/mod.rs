//! Processes, as the control socket speaks of them.

mod cpid;
mod request;
mod signal;
mod view;

pub use cpid::{Cpid, NoPid, Pid};
pub use request::ProcessRequest;
pub use signal::{Signalled, Target};
pub use view::{ClusterProcesses, LoadView, Missing, NodeProcesses, ProcessView, ProcessesView};
