//! What a program is told that has started us: which process the command is, or why it is
//! none. People read messages instead.

use std::fmt;
use std::fs::File;
use std::io::{self, Write as _};
use std::os::fd::{BorrowedFd, FromRawFd as _, RawFd};
use std::str::FromStr;

use nix::fcntl::{FcntlArg, FdFlag, fcntl};

use crate::core::NotRun;

/// Where it is told, once.
pub(super) struct Report(Option<File>);

/// What is told, as one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told {
    /// The command runs.
    Began {
        /// On which node.
        node: u16,
        /// Its number there.
        pid: u32,
    },
    /// It doesn't.
    NotRun(NotRun),
}

impl Report {
    /// To whoever reads from this descriptor, which is ours from now on.
    pub(super) fn to(fd: RawFd) -> Self {
        // SAFETY: borrowed to see whether it is open.
        let borrowed = unsafe { BorrowedFd::borrow_raw(fd) };
        let open = fcntl(borrowed, FcntlArg::F_SETFD(FdFlag::FD_CLOEXEC)).is_ok();
        // SAFETY: it is open, and whoever started us says that it is for this: nothing else of
        // this process has it.
        Self(open.then(|| unsafe { File::from_raw_fd(fd) }))
    }

    /// Whether nothing has been told yet.
    pub(super) const fn is_waiting(&self) -> bool {
        self.0.is_some()
    }

    pub(super) fn began(&mut self, node: u16, pid: u32) {
        self.tell(&Told::Began { node, pid });
    }

    pub(super) fn not_run(&mut self, not: &NotRun) {
        self.tell(&Told::NotRun(not.clone()));
    }

    fn tell(&mut self, told: &Told) {
        if let Some(mut to) = self.0.take() {
            // Whoever doesn't read it doesn't want to know.
            let _ = to.write_all(told.to_string().as_bytes());
        }
    }
}

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Began { node, pid } => writeln!(f, "{node}/{pid}"),
            Self::NotRun(not) => writeln!(f, "{} {}", not.status, not.why.replace('\n', " ")),
        }
    }
}

impl FromStr for Told {
    type Err = io::Error;

    /// # Errors
    /// The line is none that was told, or was cut off.
    fn from_str(line: &str) -> io::Result<Self> {
        let told = || {
            let line = line.strip_suffix('\n')?;
            if let Some((status, why)) = line.split_once(' ') {
                let why = why.to_owned();
                let status = status.parse().ok()?;
                return Some(Self::NotRun(NotRun { status, why }));
            }
            let (node, pid) = line.split_once('/')?;
            let (node, pid) = (node.parse().ok()?, pid.parse().ok()?);
            Some(Self::Began { node, pid })
        };
        told().ok_or_else(|| io::ErrorKind::InvalidData.into())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::core::FAILED;

    #[test]
    fn what_is_told_is_heard() {
        let began = Told::Began { node: 2, pid: 1234 };
        assert_eq!(began.to_string().parse::<Told>().expect("whole"), began);
        let not = Told::NotRun(NotRun::failed("no\nway"));
        assert_eq!(not.to_string(), format!("{FAILED} no way\n"));
        let heard = not.to_string().parse::<Told>().expect("whole");
        assert_eq!(heard, Told::NotRun(NotRun::failed("no way")));
        assert!("2/12".parse::<Told>().is_err(), "it was cut off");
    }

    proptest! {
        #[test]
        fn anything_is_taken(line in "\\PC{0,20}\n?") {
            let _ = line.parse::<Told>();
        }
    }
}
