//! The surrogate is gone: to its command it is as if a terminal hung up.

use std::os::fd::AsFd as _;
use std::time::{Duration, Instant};

use nix::libc;
use nix::poll::PollFlags;
use nix::sys::signalfd::SignalFd;

use super::child::{Become, Child, end};
use crate::core::{CHUNK, Stream};
use crate::runner::readiness::Wait;

/// How long a command may take to put its things in order.
const LAST: Duration = Duration::from_secs(5);

/// Tells it, once. Then what it says goes nowhere, for a while: were its pipes closed at once,
/// it would be killed by the first word about its end.
///
/// A terminal is gone at once. But its foreground is only told by the kernel when this
/// session, its leader, ends: so it is with a shell that leads, too. A shell here is that
/// foreground, or is told that its parent is gone: told a second time before it has passed
/// the first on to its jobs, bash ends as it stands, and they go on for ever.
pub(super) fn hang_up(mut child: Child, signals: &SignalFd) {
    child.signal(libc::SIGHUP as u8);
    child.signal(libc::SIGCONT as u8);
    child.input = None;
    if child.pty.take().is_some() {
        child.output[0] = None;
    }
    let until = Instant::now() + LAST;
    while Instant::now() < until && !matches!(child.look(), Some(Become::Ended(_))) {
        let mut wait = Wait::new();
        wait.add(None, signals.as_fd(), PollFlags::POLLIN);
        for stream in Stream::WRITTEN {
            if let Some(output) = end(&child.output, stream) {
                wait.add(Some(stream), output.as_fd(), PollFlags::POLLIN);
            }
        }
        wait.until(Some(until));
        let Ok(ready) = wait.wait() else { return };
        while let Ok(Some(_)) = signals.read_signal() {}
        for stream in Stream::WRITTEN {
            if ready.any(Some(stream)) {
                discard(&mut child, stream);
            }
        }
    }
}

fn discard(child: &mut Child, stream: Stream) {
    let mut nowhere = [0; CHUNK];
    let read = end(&child.output, stream).map(|output| nix::unistd::read(output, &mut nowhere));
    if matches!(read, Some(Ok(0))) {
        child.output[usize::from(stream.number()) - 1] = None;
    }
}
