//! What a supervisor is told.

use std::sync::Arc;

use super::exit::Exit;
use super::id::{Id, Main, Run};
use super::record::Carried;
use crate::config::Config;
use crate::node::Node;

/// What a supervisor is told.
#[derive(Clone, Debug)]
pub enum Event {
    /// A moment has come that [`Supervisor::due`](super::Supervisor::due) named.
    Tick,
    /// From the runner: something about one run of an instance.
    Heard {
        /// Of which instance.
        id: Id,
        /// Of which run of it.
        run: Run,
        /// What.
        heard: Heard,
    },
    /// From the view log: this is the configuration now.
    Configured(Arc<Config>),
    /// From the view log: this instance runs here from now on.
    Place {
        /// Which.
        id: Id,
        /// What the node that had it before knew of it.
        carried: Option<Carried>,
    },
    /// From the view log: this instance is to run here no longer.
    Release(Id),
    /// From an operator.
    Order(Order),
    /// From another node: whether an instance of this process is ready there.
    Elsewhere {
        /// The process.
        process: Arc<str>,
        /// Where.
        node: Node,
        /// Whether it is.
        ready: bool,
    },
    /// From the view: that node is gone, and whatever was ready there.
    NodeDown(Node),
    /// From membership: the lease is over; what may run elsewhere must not run here.
    Fence,
    /// From membership: there is a lease again, and nothing was given away.
    Unfence,
    /// From membership: this node's life is over; what may run elsewhere does so by now.
    Lost,
}

/// What a runner says of one run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard {
    /// It was started.
    Started(Main),
    /// It couldn't be.
    NotStarted(String),
    /// What was to be watched isn't there, and how it ended nobody knows.
    Absent,
    /// Its main process has ended.
    Exited {
        /// How.
        exit: Exit,
        /// Whether other processes of it are left.
        rest: bool,
    },
    /// No process of it is left. Comes after [`Heard::Exited`] if that left any.
    Emptied,
    /// The process that goes on in the background.
    Daemon(Main),
    /// It says that it is ready.
    Ready,
    /// It says that it is alive (`WATCHDOG=1`).
    Alive,
    /// What came of a check.
    Checked {
        /// Which one, as it was asked for.
        number: u64,
        /// What was wrong, if anything.
        passed: Result<(), String>,
    },
}

/// What an operator wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Order {
    /// Starts these processes, if they don't run.
    Start(Vec<Arc<str>>),
    /// Ends these, whoever depends on others first; they stay so.
    Stop(Vec<Arc<str>>),
    /// Ends and starts these.
    Restart(Vec<Arc<str>>),
    /// Forgets the errors of these, and starts what is down, with its whole group.
    Clear(Vec<Arc<str>>),
    /// Keeps a running process alive as this instance.
    Adopt(Id, Main),
    /// Supervises this no longer.
    Remove {
        /// Which.
        id: Id,
        /// Whether it is ended too; else it goes on without supervision.
        kill: bool,
    },
    /// Starts nothing until further notice (true), or goes on (false).
    Quiesce(bool),
}
