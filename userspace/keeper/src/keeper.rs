//! What a daemon sees.

use std::io;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::thread;
use std::time::Duration;

use crate::address::{again, listening_at};
use crate::place::Place;

/// How long to wait before a keeper is started that ended too soon: at first, at most; it
/// doubles in between.
const FIRST: Duration = Duration::from_millis(10);
const MOST: Duration = Duration::from_secs(10);

/// What the daemon before this one has left, and where this one will leave it.
#[derive(Debug)]
pub struct Keeper {
    place: Place,
    /// What nobody has asked for yet.
    found: Vec<OwnedFd>,
    /// What will be held.
    held: Vec<OwnedFd>,
}

impl Keeper {
    /// Asks for what is held; `directory` is where the keeper is found, one for each daemon.
    /// If nobody holds anything, or doesn't answer, nothing is found.
    #[must_use]
    pub fn open(directory: &Path) -> Self {
        let (place, found) = Place::find(directory);
        Self {
            place,
            found,
            held: Vec::new(),
        }
    }

    /// The sockets that listen at an address: those of the daemon before, if it had `count`
    /// there; else what `bind` makes.
    ///
    /// # Errors
    /// Those of `bind`, or there are too many descriptors.
    pub fn listeners(
        &mut self,
        address: SocketAddr,
        count: usize,
        bind: impl FnOnce() -> io::Result<Vec<OwnedFd>>,
    ) -> io::Result<Vec<OwnedFd>> {
        let mut sockets = listening_at(&mut self.found, address);
        if sockets.len() != count {
            let useless = !sockets.is_empty();
            sockets.clear();
            if useless {
                // As long as they are held, nobody else can have the address.
                let all = again(&self.found)?.into_iter().chain(again(&self.held)?);
                self.place.hold(&all.collect::<Vec<_>>())?;
            }
            sockets = bind()?;
        }
        self.held.extend(again(&sockets)?);
        Ok(sockets)
    }

    /// From now on, everything that was asked for is held, and nothing else, also if the
    /// keeper is killed. Stays so when the daemon ends, however it does.
    ///
    /// # Errors
    /// No keeper could be started. The sockets work all the same, until the daemon ends.
    pub fn hold(mut self) -> io::Result<()> {
        self.found.clear();
        self.place.hold(&self.held)?;
        if matches!(self.place, Place::Process { .. }) {
            thread::Builder::new()
                .name("ssi-keeper".to_owned())
                .stack_size(64 << 10)
                .spawn(move || self.watch())?;
        }
        Ok(())
    }

    /// Starts another keeper whenever it has ended.
    fn watch(mut self) {
        let mut wait = FIRST;
        loop {
            if let Place::Process { connection, .. } = &mut self.place
                && let Some(running) = connection.take()
            {
                running.wait();
                tracing::warn!("the keeper of the listening sockets was killed: starting another");
            }
            thread::sleep(wait);
            match self.place.hold(&self.held) {
                Ok(()) => wait = FIRST,
                Err(error) => {
                    tracing::warn!("cannot start a keeper for the listening sockets: {error}");
                    wait = (wait * 2).min(MOST);
                }
            }
        }
    }
}
