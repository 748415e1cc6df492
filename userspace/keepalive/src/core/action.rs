//! What a supervisor wants done.

use std::sync::Arc;
use std::time::Duration;

use super::condition::Condition;
use super::exit::Exit;
use super::id::{Id, Main, Run};
use super::record::Carried;
use super::state::State;
use crate::config::{Process, StopSignal, Test};

/// What a supervisor wants done, in the order in which it wants it. What has changed
/// ([`Supervisor::changed`](super::Supervisor::changed)) is to be kept first.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// Starts it. [`Heard::Started`](super::Heard::Started) or `NotStarted` is the answer.
    Start {
        /// Which instance.
        id: Id,
        /// Which run this is.
        run: Run,
        /// What to start, and how.
        process: Arc<Process>,
    },
    /// Sends a signal to all of its processes.
    Signal {
        /// Which instance.
        id: Id,
        /// Which run.
        run: Run,
        /// Which signal.
        signal: Signal,
    },
    /// Stands all its processes still, or lets them go on.
    Freeze {
        /// Which instance.
        id: Id,
        /// Which run.
        run: Run,
        /// Whether they stand still.
        frozen: bool,
    },
    /// Watches a process that this supervisor did not start. If it has ended meanwhile, the
    /// answer is how ([`Heard::Exited`](super::Heard::Exited)), or
    /// [`Heard::Absent`](super::Heard::Absent) if nobody knows.
    Watch {
        /// Which instance it is from now on.
        id: Id,
        /// Which run.
        run: Run,
        /// The process; none: whatever is in its cgroup
        /// ([`Heard::Started`](super::Heard::Started), or `Daemon` of one that goes into the
        /// background, is the answer), if anything is.
        main: Option<Main>,
        /// What it is.
        process: Arc<Process>,
    },
    /// Looks for the process that goes on after the one that was started has ended:
    /// [`Heard::Daemon`](super::Heard::Daemon) is the answer, if there is one.
    FindDaemon {
        /// Which instance.
        id: Id,
        /// Which run.
        run: Run,
    },
    /// Tests it: [`Heard::Checked`](super::Heard::Checked) is the answer.
    Check {
        /// Which instance.
        id: Id,
        /// Which run.
        run: Run,
        /// Tells the answers apart.
        number: u64,
        /// The test.
        test: Test,
        /// How long it may take.
        timeout: Duration,
    },
    /// It went from one state to another.
    Report {
        /// Which instance.
        id: Id,
        /// The state it was in.
        from: State,
        /// The state it is in now.
        to: State,
        /// Why.
        why: String,
    },
    /// What it is good for has changed.
    Condition {
        /// Which instance.
        id: Id,
        /// What it is good for now; none: for nothing yet, or no more.
        condition: Option<Condition>,
    },
    /// It can't run on this node: another one is to be found. Until then it waits, and is
    /// tried here again after a while.
    Elsewhere {
        /// Which instance.
        id: Id,
        /// How it said so.
        exit: Exit,
    },
    /// Nothing of it runs here, and nothing will: another node may start it.
    Gone {
        /// Which instance.
        id: Id,
        /// What the next node is to know of it.
        carried: Carried,
    },
    /// Its processes go on without supervision.
    Abandon {
        /// Which instance.
        id: Id,
        /// Which run.
        run: Run,
    },
}

/// The signals that supervision sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// The one that asks it to end.
    Stop(StopSignal),
    /// SIGKILL.
    Kill,
}
