//! What goes on beside the shell: calls are answered, its /proc is kept, signals are passed.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::thread;

use nix::errno::Errno;
use nix::libc;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signalfd::SignalFd;
use nix::unistd::Pid;

use super::answer::Answers;
use super::child::{self, End};
use super::place::Place;

/// How often it is looked whether the cluster's /proc is there again, once it is not.
const LOOK: u16 = 1_000;

/// Sees to everything until the shell ends.
pub(super) fn watch(
    shell: Pid,
    signals: &SignalFd,
    place: &Place,
    answers: &Arc<Answers>,
) -> io::Result<End> {
    let mut server = place.server();
    let mut calls = true;
    loop {
        let found = wait(signals, calls.then_some(answers), server.as_ref())?;
        if let Some(end) = child::hear(signals, shell)? {
            return Ok(end);
        }
        if found.hung_up {
            // Nobody has the filter any more: the shell is about to end.
            calls = false;
        } else if found.call {
            take(answers)?;
        }
        if found.unserved || server.is_none() {
            server = place.mend().then(|| place.server()).flatten();
        }
    }
}

#[derive(Default)]
struct Found {
    call: bool,
    hung_up: bool,
    unserved: bool,
}

fn wait(
    signals: &SignalFd,
    answers: Option<&Arc<Answers>>,
    server: Option<&OwnedFd>,
) -> io::Result<Found> {
    let calls = answers.map_or(signals.as_fd(), |answers| answers.listener.as_fd());
    let served = server.map_or(signals.as_fd(), AsFd::as_fd);
    let mut fds = [signals.as_fd(), calls, served].map(|fd| PollFd::new(fd, PollFlags::POLLIN));
    let timeout = match server {
        Some(_) => PollTimeout::NONE,
        None => PollTimeout::from(LOOK),
    };
    match poll(&mut fds, timeout) {
        Ok(_) | Err(Errno::EINTR) => {}
        Err(error) => return Err(error.into()),
    }
    let [_, call, gone] = fds.map(|fd| fd.revents().unwrap_or(PollFlags::empty()));
    let some = answers.is_some();
    Ok(Found {
        call: some && call.contains(PollFlags::POLLIN),
        hung_up: some && call.contains(PollFlags::POLLHUP),
        unserved: server.is_some() && gone.contains(PollFlags::POLLIN),
    })
}

/// Takes a call; it is answered by a thread of its own, as nodes may take a second.
fn take(answers: &Arc<Answers>) -> io::Result<()> {
    let Some(waiting) = answers.listener.next()? else {
        return Ok(());
    };
    let ours = Arc::clone(answers);
    let answering = thread::Builder::new().name("answer".to_owned());
    if answering.spawn(move || ours.answer(&waiting)).is_err() {
        answers.listener.answer(&waiting, Err(libc::EAGAIN));
    }
    Ok(())
}
