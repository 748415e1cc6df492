//! Taking over what another supervisor started, or nobody did.

use std::collections::BTreeMap;
use std::os::fd::OwnedFd;

use super::carry::complain;
use super::{Local, Told, notify, watch};
use crate::config::Process;
use crate::core::{Exit, Heard, Id, Main, Run};
use crate::runner::exit;

impl Local {
    /// Looks after a process that another supervisor started, or nobody did. Answers what
    /// there is to say of it at once.
    pub(super) fn take_over(
        &mut self,
        id: &Id,
        run: Run,
        main: Option<Main>,
        process: &Process,
    ) -> Option<Heard> {
        self.let_go(id);
        let cgroup = self.cgroups.of(id);
        let known = main.or_else(|| self.entered(id, run));
        let found = known.or_else(|| watch::topmost(&cgroup));
        let held = found.and_then(|main| Some((main, exit::hold(main).ok()??)));
        let Some((found, held)) = held else {
            let exit = known.and_then(|main| self.past.as_mut()?.exit(main));
            if exit.is_none() && !cgroup.is_populated() {
                return Some(Heard::Absent);
            }
            // Whoever was not written down is, before its end is.
            if let (None, Some(known)) = (main, known) {
                self.later(id, run, Told::Heard(Heard::Started(known)));
            }
            let exit = exit.unwrap_or(Exit::Unknown);
            self.later(id, run, Told::Ended(exit));
            return None;
        };
        self.hear_again(id, run, process, &held);
        if !cgroup.has(found.pid) {
            let taken = cgroup.make(&process.cgroup);
            let taken = taken.and_then(|_| cgroup.take_in(found.pid));
            complain(id, "can't be taken into its cgroup", taken);
        }
        self.remember(id, found);
        self.watch_main(id, run, found, held);
        match main {
            Some(_) => None,
            None if process.daemonize => Some(Heard::Daemon(found)),
            None => Some(Heard::Started(found)),
        }
    }

    /// Hears what a process says, and has said since nobody listened.
    fn hear_again(&mut self, id: &Id, run: Run, process: &Process, held: &OwnedFd) {
        let speaks = process.ready == Some(crate::config::Ready::Notify);
        if !speaks && process.watchdog.is_none() {
            return;
        }
        let socket = match notify::held_by(held, &self.notify_path(id)) {
            Some(socket) => Ok(Some(socket)),
            None => self.notified(id, process, &mut BTreeMap::new()),
        };
        match socket {
            Ok(Some(socket)) => self.watch_notify(id, run, socket),
            Ok(None) => {}
            Err(error) => complain(id, "can't be heard", Err(error)),
        }
    }
}
