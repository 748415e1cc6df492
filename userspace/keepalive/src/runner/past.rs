//! How processes ended while nobody watched them.

use std::fmt;
use std::io;

use ssi_loader::Supervised;

use crate::core::{Exit, Main};

/// Remembers how processes end, also while no supervisor runs and whoever takes their exit
/// code forgets it.
pub trait PastExits: fmt::Debug + Send {
    /// From now on, the end of this process is to be remembered. It has not been waited for
    /// yet, so that the pid is no other's.
    ///
    /// # Errors
    /// It can't be: too many are.
    fn watch(&mut self, main: Main) -> io::Result<()>;

    /// How a process ended; none: it has not, as far as is known.
    fn exit(&mut self, main: Main) -> Option<Exit>;

    /// Its end is known by now.
    fn forget(&mut self, main: Main);
}

/// The kernel's: a map that the tracking of processes fills, and that is pinned.
impl PastExits for Supervised {
    fn watch(&mut self, main: Main) -> io::Result<()> {
        Self::watch(self, main.pid).map_err(io::Error::other)
    }

    fn exit(&mut self, main: Main) -> Option<Exit> {
        let (start, status) = self.ended(main.pid).ok().flatten()?;
        (start / TICK == main.start).then(|| Exit::of_status(status))
    }

    fn forget(&mut self, main: Main) {
        // What isn't there is forgotten already.
        let _ = Self::forget(self, main.pid);
    }
}

/// Nanoseconds of a clock tick as /proc counts them: `USER_HZ` is 100 on every processor.
const TICK: u64 = 10_000_000;
