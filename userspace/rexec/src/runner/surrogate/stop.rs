//! Stopping as the command did, and going on.

use std::thread;
use std::time::{Duration, Instant};

use nix::libc;
use nix::sys::signalfd::SignalFd;

use super::terminal::Local;
use crate::runner::signals;

/// Nobody is stopped for less: then nobody was there to stop us, and the kernel didn't.
const NOT_AT_ALL: Duration = Duration::from_millis(5);
const PAUSE: Duration = Duration::from_millis(100);

/// Stops this process by `signal`, and returns when it goes on. With a terminal, the whole
/// process group stops, as it would if the key had been for it. Whether it has stopped: the
/// kernel stops nobody whom nobody could continue.
pub(super) fn stop(signal: u8, terminal: Option<&Local>, waiting: &SignalFd) -> bool {
    let begin = Instant::now();
    if let Some(terminal) = terminal {
        terminal.restore();
    }
    let whole_group = terminal.is_some() && i32::from(signal) != libc::SIGSTOP;
    let to = if whole_group {
        0
    } else {
        std::process::id().cast_signed()
    };
    if signals::send(to, signal).is_ok() {
        // Here is where we stand still.
        signals::let_through(signal);
        signals::block_all();
    }
    let stopped = begin.elapsed() >= NOT_AT_ALL;
    if !stopped {
        thread::sleep(PAUSE);
    }
    // What made us go on is no news.
    forget_continue(waiting);
    stopped
}

fn forget_continue(waiting: &SignalFd) {
    // Others that have come meanwhile are the command's.
    let mut others = Vec::new();
    while let Ok(Some(info)) = waiting.read_signal() {
        if info.ssi_signo.cast_signed() != libc::SIGCONT {
            others.push(info.ssi_signo);
        }
    }
    for signal in others {
        if let Ok(signal) = u8::try_from(signal) {
            let _ = signals::send(std::process::id().cast_signed(), signal);
        }
    }
}
