//! Whether a node is still there, as the daemon of this one says. The daemon may go away and
//! come back meanwhile.

use std::os::fd::BorrowedFd;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use std::os::fd::AsFd as _;

use nix::sys::socket::{getsockopt, sockopt};

use super::Talk;
use crate::core::{Answer, Ask, Life};

/// How long after the daemon's end it is looked for again, and before anything is heard of it
/// at all: most commands have ended by then.
const AGAIN: Duration = Duration::from_millis(200);

/// What is heard of a node's life.
#[derive(Debug)]
pub(super) struct News {
    socket: PathBuf,
    life: Life,
    talk: Option<Talk>,
    next: Instant,
}

impl News {
    /// Of a life; `talk` is a conversation in which the daemon will tell by itself.
    pub(super) fn new(socket: PathBuf, life: Life, talk: Option<Talk>) -> Self {
        let talk = talk.filter(|talk| talk.never_wait().is_ok());
        Self {
            socket,
            life,
            talk,
            next: Instant::now() + AGAIN,
        }
    }

    /// What to wait for; none: nobody is there to tell.
    pub(super) fn fd(&self) -> Option<BorrowedFd<'_>> {
        self.talk.as_ref().map(Talk::as_fd)
    }

    /// When to look again at the latest.
    pub(super) fn next(&self) -> Option<Instant> {
        self.talk.is_none().then_some(self.next)
    }

    /// Looks; the epoch in which the life has ended, once it has.
    pub(super) fn look(&mut self) -> Option<u64> {
        if self.talk.is_none() && Instant::now() >= self.next {
            self.next = Instant::now() + AGAIN;
            self.talk = self.open();
        }
        let talk = self.talk.as_mut()?;
        loop {
            match talk.heard() {
                Ok(Some(Answer::Gone { epoch })) => return Some(epoch),
                Ok(Some(_)) => {}
                Ok(None) => match talk.hear() {
                    Ok(true) => {}
                    Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => return None,
                    Ok(false) | Err(_) => break,
                },
                Err(_) => break,
            }
        }
        self.talk = None;
        self.next = Instant::now() + AGAIN;
        None
    }

    fn open(&self) -> Option<Talk> {
        let mut talk = Talk::open(&self.socket).ok()?;
        // Nobody else is to be believed, should somebody else ever get to listen there.
        let daemon = getsockopt(&talk, sockopt::PeerCredentials).ok()?;
        if daemon.uid() != 0 {
            return None;
        }
        talk.say(&Ask::Watch(self.life)).ok()?;
        talk.never_wait().ok()?;
        Some(talk)
    }
}
