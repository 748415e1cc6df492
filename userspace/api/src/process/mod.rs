//! Processes, as the control socket speaks of them.

/// What a shell has as its /proc is mounted under this name, in the directory of the control
/// socket.
pub const SHELL_PROC: &str = "shell-proc";
/// The file that the server of it has locked, and that says its pid, in the same directory.
pub const PROC_LOCK: &str = "proc.lock";
/// In a shell's /proc, the directory where the node's own is.
pub const NATIVE_PROC: &str = "node";
/// In a shell's /proc, a file that says which numbers processes can have; it isn't listed.
pub const SHELL_PID_MAX: &str = ".pid_max";

mod cpid;
mod load;
mod look;
mod niced;
mod request;
mod signal;
mod sweep;
mod view;
mod waits;

pub use cpid::{Cpid, NoPid, Pid};
pub use load::{
    BusyView, ClusterForwarded, ClusterLoads, ForwardedView, LoadView, NodeBusy, PressureView,
};
pub use look::{Bytes, ClusterPids, Look, Looked, NodePids, ProcFile, ProcLink, Reader};
pub use niced::Niced;
pub use request::ProcessRequest;
pub use signal::{Behalf, Signalled, Target};
pub use sweep::{Seen, Swept};
pub use view::{ClusterProcesses, Missing, NodeProcesses, ProcessView, ProcessesView, Rest};
pub use waits::{ClusterWaits, WaitsView};
