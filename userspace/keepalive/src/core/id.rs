//! What is kept alive, and what of it runs.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// One instance of a process. On different nodes the same instance has the same name: it
/// runs on one of them at a time.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Id {
    /// The process, as the configuration calls it.
    pub process: Arc<str>,
    /// Which of its instances, counting from 0.
    pub instance: u32,
}

impl Id {
    /// That instance of that process.
    #[must_use]
    pub fn new(process: &str, instance: u32) -> Self {
        Self {
            process: process.into(),
            instance,
        }
    }
}

impl fmt::Display for Id {
    /// The first one goes by the process's own name.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.process)?;
        match self.instance {
            0 => Ok(()),
            n => write!(f, ":{n}"),
        }
    }
}

/// Counts the starts of an instance on one node. What is heard of an earlier run is ignored.
pub type Run = u64;

/// A process of the kernel's. The pid alone may be another's by now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Main {
    /// Its pid.
    pub pid: u32,
    /// When it was forked, in clock ticks since boot, as /proc/PID/stat has it.
    pub start: u64,
}
