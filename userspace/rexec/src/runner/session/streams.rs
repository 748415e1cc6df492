//! What a command reads and writes, passed on.

use std::os::fd::AsFd as _;
use std::time::{Duration, Instant};

use nix::poll::PollFlags;

use super::child::{Child, end, unread};
use super::serve::{LEFT, On, Serve};
use crate::core::Stream;
use crate::runner::readiness::Wait;

/// How seldom, at most, it is looked whether the command has read all of its input.
const SELDOM: Duration = Duration::from_millis(100);

impl Serve {
    /// What there is to wait for.
    pub(super) fn wait_for_streams<'a>(&'a self, child: &'a Child, wait: &mut Wait<'a, On>) {
        if let Some(input) = &child.input {
            let pending = !self.machine.pending().is_empty();
            let mut flags = PollFlags::empty();
            flags.set(PollFlags::POLLOUT, pending);
            // A terminal that nobody has open any more says so all the time.
            if pending || child.pty.is_none() {
                wait.add(On::Input, input.as_fd(), flags);
            }
            if self.machine.input_is_over() && child.pty.is_none() {
                wait.until(Some(Instant::now() + self.look));
            }
        }
        for stream in Stream::WRITTEN {
            if let Some(output) = end(&child.output, stream)
                && self.machine.room(stream) > 0
            {
                wait.add(On::Output(stream), output.as_fd(), PollFlags::POLLIN);
            }
        }
    }

    /// Gives the command of its input what it takes.
    pub(super) fn give(&mut self, flags: PollFlags) {
        let Some(child) = &mut self.child else { return };
        let Some(input) = &child.input else { return };
        if flags.intersects(PollFlags::POLLERR | PollFlags::POLLNVAL) && child.pty.is_none() {
            self.given -= unread(input).min(self.given);
            child.input = None;
            self.machine.input_unwanted();
            return;
        }
        while !self.machine.pending().is_empty() {
            match nix::unistd::write(input, self.machine.pending()) {
                Ok(count) => {
                    self.given += count as u64;
                    self.machine.wrote(count);
                }
                Err(nix::errno::Errno::EAGAIN | nix::errno::Errno::EINTR) => return,
                Err(_) => {
                    child.input = None;
                    self.machine.input_unwanted();
                    return;
                }
            }
        }
        if !self.machine.input_is_over() || child.pty.is_some() {
            return;
        }
        if !self.input_counts || unread(input) == 0 {
            child.input = None;
        } else {
            self.look = (self.look * 2).min(SELDOM);
        }
    }

    /// Takes what the command has written; how much there was.
    pub(super) fn read(&mut self, stream: Stream) -> usize {
        let Some(child) = &mut self.child else {
            return 0;
        };
        let Some(output) = end(&child.output, stream) else {
            return 0;
        };
        let room = self.machine.room(stream);
        if room == 0 {
            return 0;
        }
        match nix::unistd::read(output, self.scratch.room(room)) {
            Ok(count) if count > 0 => {
                self.machine.output(stream, self.scratch.took(count).0);
                count
            }
            Err(nix::errno::Errno::EAGAIN | nix::errno::Errno::EINTR) => 0,
            // A terminal's end is EIO.
            Ok(_) | Err(_) => {
                child.output[usize::from(stream.number()) - 1] = None;
                self.machine.output_ended(stream);
                0
            }
        }
    }

    /// Once the command has ended and all that it has written was taken, says so.
    pub(super) fn conclude(&mut self) {
        let Some(mut ended) = self.exited else { return };
        // What is in a pipe is there when its writer has ended; of a terminal, the end says it,
        // unless others have it open.
        let terminal = self.child.as_ref().is_some_and(|child| child.pty.is_some());
        for (stream, left) in Stream::WRITTEN.into_iter().zip(&mut ended.left) {
            let by_its_end = terminal && stream == Stream::Out;
            while by_its_end || *left > 0 {
                let count = self.read(stream);
                *left = left.saturating_sub(count as u64);
                if count == 0 {
                    break;
                }
            }
        }
        self.exited = Some(ended);
        let Some(child) = &self.child else { return };
        let open = |stream| end(&child.output, stream).is_some();
        let left = Stream::WRITTEN.into_iter().zip(ended.left);
        if left
            .into_iter()
            .any(|(stream, left)| open(stream) && left > 0)
        {
            return;
        }
        let full = self.machine.room(Stream::Out) == 0;
        if terminal && open(Stream::Out) && (full || ended.at.elapsed() < LEFT) {
            return;
        }
        let left = child.input.as_ref().map_or(0, unread);
        let read = self.given.saturating_sub(left);
        self.exited = None;
        self.child = None;
        self.machine.exited(ended.exit, read);
    }
}
