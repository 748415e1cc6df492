//! The keeper itself.

use std::ffi::OsStr;
use std::io;
use std::os::fd::{AsFd as _, OwnedFd};
use std::process::ExitCode;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::net::{SocketFlags, accept_with};

use crate::message::{self, Word};

/// What a program is started with to be the keeper.
pub(crate) const ARGUMENT: &str = "--keep-listeners";
/// What it is called then.
pub(crate) const NAME: &str = "ssid-keeper";

/// To be called first of all by a program that uses a [`Keeper`](crate::Keeper): if it was
/// started as one, it is one, and its exit status is returned at the end.
pub fn serve_if_asked() -> Option<ExitCode> {
    if std::env::args_os().nth(1).as_deref() != Some(OsStr::new(ARGUMENT)) {
        return None;
    }
    Some(match serve() {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    })
}

fn serve() -> io::Result<()> {
    // No terminal, no job, nobody's children: a signal to those is not for it. It can't
    // fail, as it leads no group.
    let _ = rustix::process::setsid();
    // What the daemon has inherited without knowing, for example the pipe of whoever waits
    // for its last word.
    // SAFETY: nothing in this process has a descriptor beyond the standard ones yet.
    unsafe { libc::close_range(3, u32::MAX, 0) };
    let _ = rustix::thread::set_name(c"ssid-keeper");
    let listener = io::stdin();
    let mut clients: Vec<OwnedFd> = Vec::new();
    let mut held = Vec::new();
    loop {
        let mut wait = vec![PollFd::new(&listener, PollFlags::IN)];
        wait.extend(
            clients
                .iter()
                .map(|client| PollFd::new(client, PollFlags::IN)),
        );
        match poll(&mut wait, None) {
            Err(rustix::io::Errno::INTR) => continue,
            ready => ready?,
        };
        let ready: Vec<bool> = wait.iter().map(|fd| !fd.revents().is_empty()).collect();
        let mut ready = ready.into_iter();
        let arrived = ready.next() == Some(true);
        let mut left = Vec::new();
        for (client, ready) in clients.into_iter().zip(ready) {
            if !ready {
                left.push(client);
                continue;
            }
            match answer(&client, &mut held) {
                Answer::Stay => left.push(client),
                Answer::Leave => {}
                Answer::End => return Ok(()),
            }
        }
        clients = left;
        if arrived && let Ok(client) = accept_with(listener.as_fd(), SocketFlags::CLOEXEC) {
            clients.push(client);
        }
    }
}

enum Answer {
    Stay,
    Leave,
    End,
}

/// A client that is gone, or says what has no meaning, is forgotten.
fn answer(client: &OwnedFd, held: &mut Vec<OwnedFd>) -> Answer {
    let Ok(Some((word, sockets))) = message::hear(client) else {
        return Answer::Leave;
    };
    let said = match word {
        Word::Give => message::say(client, Word::Done, held),
        Word::Hold => {
            *held = sockets;
            message::say(client, Word::Done, &[])
        }
        Word::End => {
            held.clear();
            // It may not wait for the answer.
            let _ = message::say(client, Word::Done, &[]);
            return Answer::End;
        }
        Word::Done => return Answer::Leave,
    };
    if said.is_ok() {
        Answer::Stay
    } else {
        Answer::Leave
    }
}
