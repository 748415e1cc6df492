//! Processes, as the control socket speaks of them.

mod cpid;
mod load;
mod look;
mod niced;
mod request;
mod signal;
mod view;

pub use cpid::{Cpid, NoPid, Pid};
pub use load::{BusyView, ClusterLoads, LoadView, NodeBusy, PressureView};
pub use look::{Bytes, ClusterPids, Look, Looked, NodePids, ProcFile, ProcLink, Reader};
pub use niced::Niced;
pub use request::ProcessRequest;
pub use signal::{Signalled, Target};
pub use view::{ClusterProcesses, Missing, NodeProcesses, ProcessView, ProcessesView};
