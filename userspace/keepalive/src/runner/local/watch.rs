//! What is waited for of processes: the end of the main one, that of those it leaves behind,
//! and what it says.

use std::fs::File;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixDatagram;
use std::time::Duration;

use rustix::event::epoll::EventFlags;
use tokio::time::sleep;

use super::{Local, Running, Told, notify};
use crate::core::{Event, Exit, Heard, Id, Main, Run};
use crate::runner::cgroup::Cgroup;
use crate::runner::exit;

/// How often a process that isn't our child is asked for its exit code, and how long from one
/// time to the next: it is known as soon as its parent has taken it.
const ASKED: u32 = 50;
const ASKED_EVERY: Duration = Duration::from_millis(2);

/// Names something that is waited for.
pub(super) type Token = u64;

/// Something that is waited for.
#[derive(Debug)]
pub(super) struct Watched {
    id: Id,
    run: Run,
    what: What,
}

#[derive(Debug)]
pub(super) enum What {
    /// The end of a main process.
    Main(Main, OwnedFd),
    /// The same of one that isn't supervised any more: somebody has to take its exit code.
    Abandoned(Main, OwnedFd),
    /// That a cgroup has no process any more.
    Rest(File),
    /// What a process says.
    Notify(UnixDatagram),
}

impl Local {
    /// Something that was waited for has happened. What follows is told later: whoever ends at
    /// once does so after it has been told that it was started.
    pub(super) fn happened(&mut self, token: Token) {
        let Some(watched) = self.watched.get_mut(&token) else {
            return;
        };
        match &watched.what {
            What::Notify(socket) => {
                let (id, run) = (watched.id.clone(), watched.run);
                for heard in notify::listen(socket) {
                    self.later(&id, run, Told::Heard(heard));
                }
                return;
            }
            What::Rest(events) => {
                // The file tells of changes since it was last read itself.
                let read = rustix::io::pread(events, &mut [0_u8; 256], 0);
                if read.is_ok() && self.cgroups.of(&watched.id).is_populated() {
                    return;
                }
            }
            What::Main(..) | What::Abandoned(..) => {}
        }
        let Some(Watched { id, run, what }) = self.unwatch(token) else {
            return;
        };
        match what {
            What::Main(main, held) => match self.exit(main, &held) {
                Exit::Unknown => self.ask(&id, run, main, held),
                exit => self.later(&id, run, Told::Ended(exit)),
            },
            What::Abandoned(main, held) => {
                exit::exit(&held, main);
                self.forget(main);
            }
            What::Rest(_) => self.later(&id, run, Told::Heard(Heard::Emptied)),
            What::Notify(_) => {}
        }
    }

    /// How a process ended that has, by whoever knows.
    fn exit(&mut self, main: Main, held: &OwnedFd) -> Exit {
        let exit = match exit::exit(held, main) {
            Exit::Unknown => self.past.as_mut().and_then(|past| past.exit(main)),
            exit => Some(exit),
        };
        exit.unwrap_or(Exit::Unknown)
    }

    /// Asks again, until somebody has taken its exit code.
    fn ask(&mut self, id: &Id, run: Run, main: Main, held: OwnedFd) {
        let (own, tell) = (id.clone(), self.tell.clone());
        let task = tokio::spawn(async move {
            let mut exit = Exit::Unknown;
            for _ in 0..ASKED {
                sleep(ASKED_EVERY).await;
                exit = exit::exit(&held, main);
                if exit != Exit::Unknown {
                    break;
                }
            }
            let _ = tell.send((own, run, Told::Ended(exit)));
        });
        self.task(id, task);
    }

    /// A main process has ended; others may be left.
    pub(super) fn ended(&mut self, id: Id, run: Run, exit: Exit) {
        let kept = self.supervisor.kept(&id);
        let main = kept
            .filter(|kept| kept.run == run)
            .and(self.supervisor.main(&id));
        let rest = self.cgroups.of(&id).is_populated();
        if rest {
            self.watch_rest(&id, run);
        }
        let heard = Heard::Exited { exit, rest };
        self.tell(Event::Heard { id, run, heard });
        // It is written down by now.
        if let Some(main) = main {
            self.forget(main);
        }
    }

    /// The end of a main process is to be known also if no supervisor runs then.
    pub(super) fn remember(&mut self, id: &Id, main: Main) {
        if let Some(past) = &mut self.past
            && let Err(error) = past.watch(main)
        {
            tracing::warn!(%id, %error, "how it ends while no supervisor runs won't be known");
        }
    }

    /// Waits for the end of a main process.
    pub(super) fn watch_main(&mut self, id: &Id, run: Run, main: Main, held: OwnedFd) {
        match self.poll.add(&held, EventFlags::IN) {
            Ok(token) => self.watch(token, id, run, What::Main(main, held)),
            Err(error) => {
                tracing::error!(%id, %error, "it can't be watched");
                self.later(id, run, Told::Ended(Exit::Unknown));
            }
        }
    }

    /// Waits for the end of those that are left.
    pub(super) fn watch_rest(&mut self, id: &Id, run: Run) {
        let cgroup = self.cgroups.of(id);
        // It tells at once, as nobody has read it yet.
        let events = File::open(cgroup.events()).and_then(|events| {
            let token = self.poll.add(&events, EventFlags::PRI)?;
            Ok((token, events))
        });
        match events {
            Ok((token, events)) => self.watch(token, id, run, What::Rest(events)),
            // Gone as a whole.
            Err(_) => self.later(id, run, Told::Heard(Heard::Emptied)),
        }
    }

    /// Waits for what a process says.
    pub(super) fn watch_notify(&mut self, id: &Id, run: Run, socket: UnixDatagram) {
        match self.poll.add(&socket, EventFlags::IN) {
            Ok(token) => self.watch(token, id, run, What::Notify(socket)),
            Err(error) => tracing::error!(%id, %error, "it can't be heard"),
        }
    }

    fn watch(&mut self, token: Token, id: &Id, run: Run, what: What) {
        let own = id.clone();
        self.watched.insert(token, Watched { id: own, run, what });
        let running = self.running.entry(id.clone()).or_default();
        running.tokens.push(token);
    }

    fn unwatch(&mut self, token: Token) -> Option<Watched> {
        let watched = self.watched.remove(&token)?;
        match &watched.what {
            What::Main(_, held) | What::Abandoned(_, held) => self.poll.remove(held),
            What::Rest(events) => self.poll.remove(events),
            What::Notify(socket) => self.poll.remove(socket),
        }
        if let Some(running) = self.running.get_mut(&watched.id) {
            running.tokens.retain(|other| *other != token);
        }
        Some(watched)
    }

    /// Nothing of a run matters any more. Answers what was going on.
    pub(super) fn let_go(&mut self, id: &Id) -> Running {
        let running = self.running.remove(id).unwrap_or_default();
        for token in &running.tokens {
            self.watched.remove(token);
        }
        running
    }

    /// As [`let_go`](Self::let_go), but its main process goes on.
    pub(super) fn abandon(&mut self, id: &Id) {
        let mut running = self.running.remove(id).unwrap_or_default();
        for token in running.tokens.drain(..) {
            let Some(watched) = self.watched.remove(&token) else {
                continue;
            };
            if let What::Main(main, held) = watched.what {
                let what = What::Abandoned(main, held);
                self.watched.insert(token, Watched { what, ..watched });
            }
        }
    }

    fn forget(&mut self, main: Main) {
        if let Some(past) = &mut self.past {
            past.forget(main);
        }
    }
}

/// The process of a cgroup whose parent is not in it; of several, the oldest.
pub(super) fn topmost(cgroup: &Cgroup) -> Option<Main> {
    let pids = cgroup.pids();
    let tops = pids.iter().filter(|pid| {
        let parent = exit::parent(**pid);
        parent.is_some_and(|parent| !pids.contains(&parent))
    });
    let mains = tops.filter_map(|&pid| {
        let start = exit::start(pid)?;
        Some(Main { pid, start })
    });
    mains.min_by_key(|main| (main.start, main.pid))
}
