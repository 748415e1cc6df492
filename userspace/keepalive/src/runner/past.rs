//! How processes ended while nobody watched them.

use std::fmt;
use std::io;
use std::os::fd::{AsFd as _, BorrowedFd};

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

    /// What a process that is being started [enters](ssi_loader::enter) itself into, so that
    /// its end is remembered whatever becomes of its supervisor meanwhile.
    fn map(&self) -> BorrowedFd<'_>;

    /// Everybody whose end is to be remembered.
    ///
    /// # Errors
    /// That can't be read.
    fn entries(&self) -> io::Result<Vec<Entered>>;

    /// How a process ended; none: it has not, as far as is known.
    fn exit(&mut self, main: Main) -> Option<Exit>;

    /// Its end is known by now.
    fn forget(&mut self, main: Main);

    /// Whoever is remembered by this pid matters to nobody.
    fn drop_pid(&mut self, pid: u32);
}

/// Somebody whose end is to be remembered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entered {
    /// Its pid.
    pub pid: u32,
    /// The number it has entered itself with; 0: none.
    pub run: u64,
    /// When it had started, if it has ended: as [`Main::start`].
    pub start: Option<u64>,
}

/// The kernel's: a map that the tracking of processes fills, and that is pinned.
impl PastExits for Supervised {
    fn watch(&mut self, main: Main) -> io::Result<()> {
        if self.exit(main).is_some() {
            return Ok(());
        }
        Self::watch(self, main.pid).map_err(io::Error::other)
    }

    fn map(&self) -> BorrowedFd<'_> {
        self.as_fd()
    }

    fn entries(&self) -> io::Result<Vec<Entered>> {
        let entries = Self::entries(self).map_err(io::Error::other)?;
        let entered = entries.into_iter().map(|entry| Entered {
            pid: entry.pid,
            run: entry.run,
            start: entry.start.map(|start| start / TICK),
        });
        Ok(entered.collect())
    }

    fn exit(&mut self, main: Main) -> Option<Exit> {
        let (start, status) = self.ended(main.pid).ok().flatten()?;
        (start / TICK == main.start).then(|| Exit::of_status(status))
    }

    fn forget(&mut self, main: Main) {
        // By now, another one may have the pid.
        if self.exit(main).is_some() {
            self.drop_pid(main.pid);
        }
    }

    fn drop_pid(&mut self, pid: u32) {
        // What isn't there is forgotten already.
        let _ = Self::forget(self, pid);
    }
}

/// Nanoseconds of a clock tick as /proc counts them: `USER_HZ` is 100 on every processor.
pub(super) const TICK: u64 = 10_000_000;
