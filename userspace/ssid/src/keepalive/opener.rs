//! This node's supervisor is opened, with its guard; and again, if that didn't work.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use ssi_keepalive::agreed::Agreed;
use ssi_keepalive::placement::Life;
use ssi_keepalive::runner::{Local, PastExits, Places, is_empty};
use ssi_loader::Supervised;
use ssi_loader::map::OwnNode;
use tokio::time::Instant;

use super::guard::{Guard, Told};
use super::places;
use crate::config::Config;

/// How long until the second attempt; doubled with each one after that.
const FIRST: Duration = Duration::from_secs(1);
/// The longest that becomes.
const LONGEST: Duration = Duration::from_mins(1);

/// Opens the supervisor.
pub(super) struct Opener {
    config: Config,
    own: OwnNode,
    guard: Option<Guard>,
    wait: Duration,
    due: Instant,
}

impl Opener {
    pub(super) fn new(config: &Config, own: OwnNode) -> Self {
        Self {
            config: config.clone(),
            own,
            guard: None,
            wait: FIRST,
            due: Instant::now(),
        }
    }

    /// Opens it. `life`: this node's, if it takes part; `fenced`: whether it is without a lease.
    pub(super) fn open(
        &mut self,
        agreed: &Agreed,
        life: Option<Life>,
        fenced: bool,
    ) -> Result<Local, String> {
        let opened = places::places(&self.config).and_then(|places| {
            let mut guard = Guard::of(&self.config, &places.cgroups);
            guard.take_over(&self.own)?;
            let stood = guard.hand_over()?;
            if !fenced {
                // Some may go on before all of it is here.
                guard.tell(Told::runs(life));
            }
            let opened = self.local(places, agreed, fenced);
            if opened.is_ok() {
                guard.let_go(&stood, |process| agreed.is_bound(process))?;
            }
            // What runs needs it also while nobody supervises it.
            guard.tell(if fenced && opened.is_ok() {
                Told::Stands
            } else {
                Told::runs(life)
            });
            self.guard = Some(guard);
            opened
        });
        opened.map_err(|error| {
            self.due = Instant::now() + self.wait;
            self.wait = (self.wait * 2).min(LONGEST);
            format!("{error}; `keepalive` in ssi.toml says where what it needs is")
        })
    }

    fn local(&self, places: Places, agreed: &Agreed, fenced: bool) -> io::Result<Local> {
        let effective = Arc::new(agreed.effective());
        Local::open_with(places, effective, fenced, past(&self.config))
    }

    /// When the next attempt is due, after one that failed.
    pub(super) const fn due(&self) -> Instant {
        self.due
    }

    /// Tells the guard how things stand.
    pub(super) fn tell(&self, how: Told) {
        if let Some(guard) = &self.guard {
            guard.tell(how);
        }
    }

    /// Whether no process runs here that was started by a supervisor before.
    pub(super) fn nothing_runs(&self) -> bool {
        places::cgroups(&self.config).map_or(true, |root| is_empty(&root))
    }
}

/// Who knows how processes ended while no `ssid` ran: process tracking, if the kernel lets it.
fn past(config: &Config) -> Option<Box<dyn PastExits>> {
    match Supervised::pinned(&config.bpf.root) {
        Ok(past) => Some(Box::new(past)),
        Err(why) => {
            tracing::info!("how processes end while no ssid runs won't be known: {why}");
            None
        }
    }
}
