//! Our standard streams, which are the command's.

use std::io::{self, ErrorKind};

use nix::libc;
use nix::poll::PollFlags;

use super::serve::Serve;
use super::stop::stop;
use super::terminal::Local;
use crate::core::Stream;

impl Serve<'_> {
    /// Takes what is typed, or else comes in.
    pub(super) fn read(&mut self) {
        let Some(input) = &self.input else { return };
        if self
            .terminal
            .is_some_and(|terminal| !terminal.is_foreground())
        {
            if self.terminal.is_some_and(Local::is_gone) {
                self.hang_up();
            }
            self.foreground = false;
            return;
        }
        if let Some(keyboard) = &self.keyboard
            && !keyboard.is_foreground()
            && !keyboard.is_gone()
            && stop(libc::SIGTTIN as u8, Some(keyboard), &self.signals)
        {
            // Who reads the terminal from the background is stopped, and not told that there is
            // no more, as the kernel does whom it can't stop.
            self.go_on();
            return;
        }
        let room = self.scratch.room(self.machine.room());
        match input.read(room) {
            Ok(0) => {
                self.reading = false;
                self.machine.input_ended();
            }
            Ok(count) => self.machine.input(self.scratch.took(count).0),
            Err(error) if passing(&error) => {}
            Err(_) => {
                // As if it had ended: the terminal is gone, perhaps.
                self.reading = false;
                self.machine.input_ended();
            }
        }
    }

    /// Writes what has come, as far as it is taken.
    pub(super) fn write(&mut self, stream: Stream, flags: PollFlags) {
        let place = usize::from(stream.number()) - 1;
        if flags.is_empty() {
            return;
        }
        let Some(output) = &self.output[place] else {
            self.machine.unwanted(stream);
            return;
        };
        if flags.intersects(PollFlags::POLLERR | PollFlags::POLLHUP | PollFlags::POLLNVAL) {
            self.output[place] = None;
            self.machine.unwanted(stream);
            return;
        }
        while !self.machine.pending(stream).is_empty() {
            match output.write(self.machine.pending(stream)) {
                Ok(count) => self.machine.wrote(stream, count),
                Err(error) if passing(&error) => return,
                Err(_) => {
                    self.output[place] = None;
                    self.machine.unwanted(stream);
                    return;
                }
            }
            if !output.never_waits() {
                return;
            }
        }
    }
}

fn passing(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted)
}
