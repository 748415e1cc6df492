//! The terminal in front of the user.

use std::cell::RefCell;
use std::os::fd::{AsFd as _, OwnedFd};

use nix::libc;
use nix::sys::termios::{SetArg, Termios, cfmakeraw, tcgetattr, tcsetattr};
use nix::unistd::{getpgrp, tcgetpgrp};

use crate::core::{Size, Terminal};

nix::ioctl_read_bad!(get_size, libc::TIOCGWINSZ, libc::winsize);

/// It; as it was again, when this goes.
#[derive(Debug)]
pub(super) struct Local {
    fd: OwnedFd,
    /// How it was before it was made raw.
    before: RefCell<Option<Termios>>,
}

impl Local {
    /// That of standard input, if it is the one that controls our session.
    pub(super) fn open() -> Option<Self> {
        let fd = std::io::stdin().as_fd().try_clone_to_owned().ok()?;
        tcgetpgrp(&fd).ok()?;
        Some(Self {
            fd,
            before: RefCell::new(None),
        })
    }

    /// Whether what is typed is for us.
    pub(super) fn is_foreground(&self) -> bool {
        tcgetpgrp(&self.fd) == Ok(getpgrp())
    }

    /// Whether it has hung up.
    pub(super) fn is_gone(&self) -> bool {
        tcgetpgrp(&self.fd).is_err()
    }

    /// How large it is now.
    pub(super) fn size(&self) -> Size {
        use std::os::fd::AsRawFd as _;
        let mut found = libc::winsize {
            ws_row: 0,
            ws_col: 0,
            ws_xpixel: 0,
            ws_ypixel: 0,
        };
        // SAFETY: the structure that this call fills in. Without an answer it stays as it is.
        let _ = unsafe { get_size(self.fd.as_raw_fd(), &raw mut found) };
        Size {
            rows: found.ws_row,
            columns: found.ws_col,
            width: found.ws_xpixel,
            height: found.ws_ypixel,
        }
    }

    /// What the other end is to be like.
    pub(super) fn describe(&self) -> Option<Terminal> {
        let now = tcgetattr(&self.fd).ok()?;
        Some(Terminal {
            size: self.size(),
            modes: [
                now.input_flags.bits(),
                now.output_flags.bits(),
                now.control_flags.bits(),
                now.local_flags.bits(),
            ],
            characters: now.control_chars.to_vec(),
        })
    }

    /// Lets everything that is typed through as it is: the terminal at the other end makes
    /// lines and signals of it.
    pub(super) fn make_raw(&self) {
        let mut before = self.before.borrow_mut();
        if before.is_some() {
            return;
        }
        if let Ok(now) = tcgetattr(&self.fd) {
            let mut raw = now.clone();
            cfmakeraw(&mut raw);
            if tcsetattr(&self.fd, SetArg::TCSADRAIN, &raw).is_ok() {
                *before = Some(now);
            }
        }
    }

    /// As it was, if it is ours.
    pub(super) fn restore(&self) {
        if let Some(before) = self.before.borrow_mut().take()
            && self.is_foreground()
        {
            let _ = tcsetattr(&self.fd, SetArg::TCSADRAIN, &before);
        }
    }
}

impl Drop for Local {
    fn drop(&mut self) {
        self.restore();
    }
}
