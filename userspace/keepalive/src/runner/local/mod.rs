//! One node's supervisor, with everything it needs: what it wants is done, what happens is
//! told to it, what it has to remember is written down first.

mod carry;
mod notify;
mod poll;
mod recall;
mod takeover;
mod test;
mod watch;

use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rustix::rand::{GetRandomFlags, getrandom};
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until};

use self::poll::Poll;
use self::watch::{Token, Watched};
use super::cgroup::Cgroups;
use super::log;
use super::past::{Entered, PastExits};
use super::spawn::Slots;
use super::store::Store;
use super::user::Identities;
use crate::config::{CgroupLimits, Config};
use crate::core::{Action, Event, Exit, Heard, Id, Run, Supervisor, Time};

/// How often the sizes of log files are looked at.
const LOGS_EVERY: Duration = Duration::from_secs(5);

/// Where things are.
#[derive(Clone, Debug)]
pub struct Places {
    /// A folder of a cgroup2 file system, for a cgroup of each instance.
    pub cgroups: PathBuf,
    /// A folder for what processes write.
    pub logs: PathBuf,
    /// A file for what a new supervisor has to know.
    pub state: PathBuf,
    /// A folder for sockets, which ends with the machine's uptime.
    pub runtime: PathBuf,
}

/// One node's supervisor at work. Lives in a tokio runtime.
///
/// Dropping it, or killing the process it lives in, leaves everything running as it is: the
/// next one goes on with it.
#[derive(Debug)]
pub struct Local {
    supervisor: Supervisor,
    store: Store,
    places: Places,
    cgroups: Cgroups,
    poll: Poll,
    watched: HashMap<Token, Watched>,
    running: HashMap<Id, Running>,
    past: Option<Box<dyn PastExits>>,
    /// Who entered themselves before they were written down.
    entered: HashMap<u64, Entered>,
    slots: Slots,
    identities: Identities,
    tell: UnboundedSender<(Id, Run, Told)>,
    hears: UnboundedReceiver<(Id, Run, Told)>,
    /// What is said to the world outside of it.
    out: Vec<Action>,
    logs_due: Instant,
}

/// What is told of a run from within.
#[derive(Debug)]
enum Told {
    Heard(Heard),
    /// Its main process has ended.
    Ended(Exit),
}

/// What goes on about one run of an instance.
#[derive(Debug, Default)]
struct Running {
    /// What is watched for it.
    tokens: Vec<Token>,
    /// Ends with it.
    tasks: Vec<JoinHandle<()>>,
    /// The limits its cgroup was made with, if it can be used once more: a cgroup that was
    /// killed can't.
    cgroup: Option<CgroupLimits>,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

impl Local {
    /// Goes on where the last one ended. `fenced`: whether this node is without a lease.
    ///
    /// # Errors
    /// A place can't be used.
    pub fn open(places: Places, config: Arc<Config>, fenced: bool) -> io::Result<Self> {
        Self::open_with(places, config, fenced, None)
    }

    /// As [`open`](Self::open), with somebody who knows how processes ended that no
    /// supervisor saw, and who is told which are to be remembered.
    ///
    /// # Errors
    /// A place can't be used.
    pub fn open_with(
        places: Places,
        config: Arc<Config>,
        fenced: bool,
        past: Option<Box<dyn PastExits>>,
    ) -> io::Result<Self> {
        let slots = Slots::new(past.as_ref().map(|past| past.map()))?;
        let cgroups = Cgroups::at(&places.cgroups).map_err(at(&places.cgroups))?;
        for folder in [&places.logs, &places.runtime] {
            fs::create_dir_all(folder).map_err(at(folder))?;
        }
        let spare = places.runtime.join("local");
        let opened = Store::open_with(&places.state, Some(&spare));
        let (store, kept) = opened.map_err(at(&places.state))?;
        let (mut supervisor, actions) = Supervisor::restore(now(), config, kept, fenced);
        supervisor.spread(seed()?);
        let (tell, hears) = mpsc::unbounded_channel();
        let mut local = Self {
            supervisor,
            store,
            places,
            cgroups,
            poll: Poll::new()?,
            watched: HashMap::new(),
            running: HashMap::new(),
            past,
            entered: HashMap::new(),
            slots,
            identities: Identities::default(),
            tell,
            hears,
            out: Vec::new(),
            logs_due: Instant::now() + LOGS_EVERY,
        };
        local.recall();
        local.carry_out(actions);
        local.recalled();
        Ok(local)
    }

    /// Tells it something from outside: the view, the view log, an operator.
    pub fn tell(&mut self, event: Event) {
        let actions = self.supervisor.handle(now(), event);
        self.carry_out(actions);
    }

    /// Waits for the next thing to happen, and does what follows from it. May be dropped and
    /// called again at any time.
    pub async fn step(&mut self) {
        let due = self.supervisor.due();
        let wait = due.map_or(LOGS_EVERY, |due| due.since(now()));
        let due = (Instant::now() + wait).min(self.logs_due);
        let due = self.store.due().map_or(due, |at| due.min(at.into()));
        tokio::select! {
            // Never nothing: the sending end is kept here.
            Some((id, run, told)) = self.hears.recv() => match told {
                Told::Heard(heard) => self.tell(Event::Heard { id, run, heard }),
                Told::Ended(exit) => self.ended(id, run, exit),
            },
            tokens = self.poll.ready() => {
                for token in tokens {
                    self.happened(token);
                }
            }
            () = sleep_until(due) => {
                if Instant::now() >= self.logs_due {
                    self.rotate();
                }
                self.tell(Event::Tick);
            }
        }
    }

    /// What is for others to know or to do, since this was last asked: reports, questions for
    /// another node, and what has left this one.
    pub fn said(&mut self) -> Vec<Action> {
        std::mem::take(&mut self.out)
    }

    /// How everything is.
    #[must_use]
    pub const fn supervisor(&self) -> &Supervisor {
        &self.supervisor
    }

    /// Where an instance's output goes.
    #[must_use]
    pub fn log(&self, id: &Id) -> PathBuf {
        self.places.logs.join(format!("{id}.log"))
    }

    /// Tells itself later: what follows from it has its turn then.
    fn later(&self, id: &Id, run: Run, told: Told) {
        // The receiving end is kept as long as this one.
        let _ = self.tell.send((id.clone(), run, told));
    }

    fn rotate(&mut self) {
        self.logs_due = Instant::now() + LOGS_EVERY;
        for (id, limits) in self.supervisor.logs() {
            if let Err(error) = log::rotate(&self.log(&id), limits) {
                tracing::warn!(%id, %error, "its log file can't be rotated");
            }
        }
    }
}

/// Another one on each node and for each supervisor.
fn seed() -> io::Result<u64> {
    let mut bytes = [0; 8];
    getrandom(&mut bytes, GetRandomFlags::empty())?;
    Ok(u64::from_ne_bytes(bytes))
}

/// Says which place an error is about.
fn at(place: &Path) -> impl FnOnce(io::Error) -> io::Error {
    |error| io::Error::new(error.kind(), format!("{}: {error}", place.display()))
}

/// The moment, by this node's clock.
#[must_use]
pub fn now() -> Time {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    let secs = u64::try_from(now.tv_sec).unwrap_or(0);
    let nanos = u64::try_from(now.tv_nsec).unwrap_or(0);
    Time(secs.saturating_mul(1_000_000_000).saturating_add(nanos))
}
