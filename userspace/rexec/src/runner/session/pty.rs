//! A command's terminal: a pseudo terminal, like the one in front of the user.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, AsRawFd as _, BorrowedFd, OwnedFd};

use nix::libc;
use nix::pty::openpty;
use nix::sys::termios::{
    ControlFlags, InputFlags, LocalFlags, OutputFlags, SetArg, tcgetattr, tcsetattr,
};
use nix::unistd::{Pid, getpgrp, tcgetpgrp, tcsetpgrp};

use crate::core::{Size, Terminal};
use crate::runner::descriptors::never_wait;

nix::ioctl_write_ptr_bad!(set_size, libc::TIOCSWINSZ, libc::winsize);
nix::ioctl_write_int_bad!(take_over, libc::TIOCSCTTY);

/// It, and this session's place in front of it.
#[derive(Debug)]
pub(super) struct Pty {
    pub(super) master: OwnedFd,
    /// The command's end; ours is held for its process groups, until the command has ended.
    slave: Option<OwnedFd>,
    /// Who had it before it was taken into the background.
    before: Option<Pid>,
}

impl Pty {
    /// A new one, which becomes the controlling terminal of this session.
    pub(super) fn open(like: &Terminal) -> io::Result<Self> {
        let ends = openpty(None, None)?;
        for end in [&ends.master, &ends.slave] {
            rustix::io::fcntl_setfd(end, rustix::io::FdFlags::CLOEXEC)?;
        }
        never_wait(&ends.master)?;
        // SAFETY: a system call on plain values.
        unsafe { take_over(ends.slave.as_raw_fd(), 0) }?;
        let mut modes = tcgetattr(&ends.slave)?;
        let [input, output, control, local] = like.modes;
        modes.input_flags = InputFlags::from_bits_retain(input);
        modes.output_flags = OutputFlags::from_bits_retain(output);
        modes.control_flags = ControlFlags::from_bits_retain(control);
        modes.local_flags = LocalFlags::from_bits_retain(local);
        for (to, from) in modes.control_chars.iter_mut().zip(&like.characters) {
            *to = *from;
        }
        tcsetattr(&ends.slave, SetArg::TCSANOW, &modes)?;
        let pty = Self {
            master: ends.master,
            slave: Some(ends.slave),
            before: None,
        };
        pty.resize(like.size);
        Ok(pty)
    }

    /// The command's end, for its standard streams.
    pub(super) fn stream(&self) -> io::Result<File> {
        let slave = self.slave.as_ref().ok_or(io::ErrorKind::NotFound)?;
        Ok(slave.try_clone()?.into())
    }

    /// Has another size: whoever is in the foreground is told.
    pub(super) fn resize(&self, size: Size) {
        let size = libc::winsize {
            ws_row: size.rows,
            ws_col: size.columns,
            ws_xpixel: size.width,
            ws_ypixel: size.height,
        };
        // SAFETY: the structure lives as long as the call, which reads it.
        let _ = unsafe { set_size(self.master.as_raw_fd(), &raw const size) };
    }

    /// Puts whoever had it back into the foreground, or takes it away: then who reads it, or
    /// changes its modes, is stopped, as it is where the user sits.
    pub(super) fn put(&mut self, command: Pid, foreground: bool) {
        let Some(slave) = &self.slave else { return };
        let ours = getpgrp();
        if foreground {
            // A group that has ended meanwhile can't have it.
            let before = self.before.take().unwrap_or(command);
            if tcsetpgrp(slave, before).is_err() {
                let _ = tcsetpgrp(slave, command);
            }
        } else if let Ok(now) = tcgetpgrp(slave)
            && now != ours
        {
            self.before = Some(now);
            let _ = tcsetpgrp(slave, ours);
        }
    }

    /// The command has ended: once nobody else has its end open, what is left is read and
    /// then there is an end.
    pub(super) fn let_go(&mut self) {
        self.slave = None;
    }
}

impl AsFd for Pty {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.master.as_fd()
    }
}
