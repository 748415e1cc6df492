//! A person in front of a terminal of a host: what is typed, and what is seen.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::os::fd::{AsFd as _, AsRawFd as _, OwnedFd};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use nix::fcntl::{FcntlArg, FdFlag, fcntl};
use nix::libc;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::pty::{Winsize, openpty};
use nix::sys::termios::{LocalFlags, tcgetattr};

use super::host::Host;

/// How long something may take to be seen.
const PATIENCE: Duration = Duration::from_secs(10);

nix::ioctl_write_ptr_bad!(set_size, libc::TIOCSWINSZ, Winsize);

/// A terminal with a shell in it.
pub struct Person {
    master: File,
    /// The terminal itself, to look at its modes.
    slave: OwnedFd,
    child: Child,
    /// What was seen, and not looked at yet.
    seen: String,
}

impl Person {
    /// In front of a host, with an interactive shell whose prompt is `here> `.
    pub fn at(host: Host) -> Self {
        let ends = openpty(&size(24, 80), None).expect("a pseudo terminal");
        for end in [&ends.master, &ends.slave] {
            // Or the shell would hold its own terminal open.
            fcntl(end, FcntlArg::F_SETFD(FdFlag::FD_CLOEXEC)).expect("a descriptor");
        }
        let slave = || Stdio::from(ends.slave.try_clone().expect("a descriptor"));
        let shell = "setsid -c -w env TERM=xterm PS1='here> ' bash --norc --noprofile -i";
        let mut command = host.command(&["sh", "-c", shell]);
        command.stdin(slave()).stdout(slave()).stderr(slave());
        let child = command.spawn().expect("ssi-testbed");
        let mut person = Self {
            master: ends.master.into(),
            slave: ends.slave,
            child,
            seen: String::new(),
        };
        person.sees("here> ");
        person
    }

    /// Types text as it is.
    pub fn keys(&mut self, text: &str) {
        self.master.write_all(text.as_bytes()).expect("typed");
    }

    /// Types a line; what was seen before is forgotten.
    pub fn types(&mut self, line: &str) {
        self.seen.clear();
        self.keys(line);
        self.keys("\r");
    }

    /// Gives the terminal another size.
    pub fn resizes(&self, rows: u16, columns: u16) {
        let size = size(rows, columns);
        // SAFETY: the structure lives as long as the call, which reads it.
        unsafe { set_size(self.master.as_raw_fd(), &raw const size) }.expect("resized");
    }

    /// Whether ^C makes a signal here, as it does unless the terminal is raw.
    pub fn is_cooked(&self) -> bool {
        let modes = tcgetattr(&self.slave).expect("a terminal");
        modes.local_flags.contains(LocalFlags::ISIG)
    }

    /// Waits until `text` is seen; what was seen up to there.
    #[track_caller]
    pub fn sees(&mut self, text: &str) -> String {
        let until = Instant::now() + PATIENCE;
        loop {
            if let Some(at) = self.seen.find(text) {
                let before = self.seen[..at + text.len()].to_owned();
                self.seen.drain(..at + text.len());
                return before;
            }
            assert!(
                Instant::now() < until && self.look(until),
                "{text:?} is not seen, but: {:?}",
                self.seen
            );
        }
    }

    /// Types a line and waits until `text` is seen after it.
    #[track_caller]
    pub fn asks(&mut self, line: &str, text: &str) -> String {
        self.types(line);
        self.sees(text)
    }

    fn look(&mut self, until: Instant) -> bool {
        let left = until.saturating_duration_since(Instant::now());
        let mut fds = [PollFd::new(self.master.as_fd(), PollFlags::POLLIN)];
        let timeout = PollTimeout::try_from(left).unwrap_or(PollTimeout::ZERO);
        if poll(&mut fds, timeout) != Ok(1) {
            return false;
        }
        let mut buffer = [0; 4096];
        let count = self.master.read(&mut buffer).unwrap_or(0);
        self.seen += &String::from_utf8_lossy(&buffer[..count]);
        count > 0
    }
}

impl Drop for Person {
    fn drop(&mut self) {
        // It dies with its terminal at the latest.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn size(rows: u16, columns: u16) -> Winsize {
    Winsize {
        ws_row: rows,
        ws_col: columns,
        ws_xpixel: 0,
        ws_ypixel: 0,
    }
}
