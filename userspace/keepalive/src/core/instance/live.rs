//! An instance that runs: whether it is ready, well, and heard of.

use serde::{Deserialize, Serialize};

use super::{Instance, Out};
use crate::config::{Health, Process, Ready, Test};
use crate::core::action::Action;
use crate::core::exit::Failure;
use crate::core::id::Main;
use crate::core::time::Time;

/// How long from one test of readiness to the next.
const READY_EVERY: std::time::Duration = std::time::Duration::from_millis(200);

/// A run, from its start to the first sign of its end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Live {
    /// Its main process; none: it has gone into the background and isn't found yet.
    pub(crate) main: Option<Main>,
    /// When it was started.
    pub(crate) since: Time,
    /// Whether it is ready.
    pub(crate) ready: bool,
    /// Whether it has gone into the background.
    pub(crate) daemonized: bool,
    /// When it must be ready.
    ready_by: Option<Time>,
    /// When it must have been heard of.
    watchdog_by: Option<Time>,
    /// The test that goes on: for readiness first, then of its health.
    testing: Option<Testing>,
    /// How often it was tested.
    tests: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Testing {
    /// When the next test is, or when the answer to this one must be there.
    at: Time,
    /// Whether an answer is awaited.
    asked: bool,
    /// How many failed in a row.
    failures: u32,
}

impl Testing {
    const fn due(at: Time) -> Option<Self> {
        Some(Self {
            at,
            asked: false,
            failures: 0,
        })
    }
}

impl Live {
    /// A run that has just begun.
    pub(crate) fn new(main: Option<Main>, now: Time, process: &Process) -> Self {
        let test = process.ready.as_ref().and_then(Ready::test);
        let mut live = Self {
            main,
            since: now,
            ready: false,
            daemonized: false,
            ready_by: Some(now + process.ready_timeout.0),
            watchdog_by: None,
            testing: test.and_then(|_| Testing::due(now)),
            tests: 0,
        };
        if process.ready.is_none() && !process.daemonize {
            live.ready(now, process);
        }
        live
    }

    /// Whether its last health check passed, if there was any.
    pub(crate) const fn is_well(&self) -> bool {
        match &self.testing {
            Some(testing) => !self.ready || testing.failures == 0,
            None => true,
        }
    }

    fn ready(&mut self, now: Time, process: &Process) {
        self.ready = true;
        self.ready_by = None;
        self.refresh(now, process);
    }

    /// All waits begin anew.
    pub(crate) fn refresh(&mut self, now: Time, process: &Process) {
        if !self.ready {
            let test = process.ready.as_ref().and_then(Ready::test);
            self.ready_by = Some(now + process.ready_timeout.0);
            self.testing = test.and_then(|_| Testing::due(now));
            return;
        }
        self.watchdog_by = process.watchdog.map(|span| now + span.0);
        let health = process.health.as_ref();
        self.testing = health.and_then(|health| Testing::due(now + health.every.0));
    }

    /// When the next wait ends.
    pub(crate) fn due(&self) -> Option<Time> {
        let test = self.testing.as_ref().map(|testing| testing.at);
        [self.ready_by, self.watchdog_by, test]
            .into_iter()
            .flatten()
            .min()
    }

    /// The test that is due in this part of the run, and how long it may take.
    fn test(&self, process: &Process) -> Option<(Test, std::time::Duration)> {
        if !self.ready {
            let test = process.ready.as_ref().and_then(Ready::test)?;
            return Some((test, process.ready_timeout.0.min(Health::TIMEOUT.0)));
        }
        let health = process.health.as_ref()?;
        Some((health.test.clone(), health.timeout.0))
    }
}

impl Instance {
    /// It goes on in the background as this process.
    pub(super) fn daemonized(&mut self, now: Time, main: Main) {
        let process = self.process.clone();
        if let Some(live) = self.live()
            && live.main.is_none()
        {
            live.main = Some(main);
            live.daemonized = true;
            if process.ready.is_none() {
                live.ready(now, &process);
            }
        }
    }

    /// It says that it is ready.
    pub(super) fn says_ready(&mut self, now: Time) {
        let process = self.process.clone();
        if process.ready == Some(Ready::Notify)
            && let Some(live) = self.live()
            && !live.ready
        {
            live.ready(now, &process);
        }
    }

    /// It says that it is alive.
    pub(super) fn says_alive(&mut self, now: Time) {
        let span = self.process.watchdog;
        if let Some(live) = self.live()
            && live.watchdog_by.is_some()
        {
            live.watchdog_by = span.map(|span| now + span.0);
        }
    }

    /// An answer to a test; a late one is none.
    pub(super) fn checked(
        &mut self,
        now: Time,
        number: u64,
        passed: Result<(), String>,
        out: &mut Out,
    ) {
        let process = self.process.clone();
        let Some(live) = self.live() else { return };
        let ready = live.ready;
        let current = live.tests == number;
        let Some(testing) = live.testing.as_mut().filter(|t| t.asked && current) else {
            return;
        };
        testing.asked = false;
        if !ready {
            testing.at = now + READY_EVERY;
            if passed.is_ok() && (!process.daemonize || live.daemonized) {
                live.ready(now, &process);
            }
            return;
        }
        let Some(health) = &process.health else {
            live.testing = None;
            return;
        };
        testing.at = now + health.every.0;
        match passed {
            Ok(()) => testing.failures = 0,
            Err(why) => {
                testing.failures += 1;
                if testing.failures >= health.failures {
                    self.fail(now, Failure::Unhealthy(why), out);
                }
            }
        }
    }

    /// A wait of a run is over.
    pub(super) fn overdue(&mut self, now: Time, out: &mut Out) {
        let (id, run) = (self.id.clone(), self.kept.run);
        let process = self.process.clone();
        let Some(live) = self.live() else { return };
        let over = |by: Option<Time>| by.is_some_and(|by| by <= now);
        if over(live.watchdog_by) {
            return self.fail(now, Failure::Watchdog, out);
        }
        if over(live.ready_by) {
            let background = process.daemonize && live.main.is_none();
            let failure = if background {
                Failure::NoDaemon
            } else {
                Failure::NotReady
            };
            return self.fail(now, failure, out);
        }
        let test = live.test(&process);
        let Some(testing) = live.testing.as_mut().filter(|testing| testing.at <= now) else {
            return;
        };
        if testing.asked {
            let number = live.tests;
            let late = Err("no answer in time".to_owned());
            return self.checked(now, number, late, out);
        }
        let Some((test, timeout)) = test else {
            live.testing = None;
            return;
        };
        testing.asked = true;
        // The runner ends it in time; whoever hears nothing all the same waits no longer.
        testing.at = now + timeout + timeout;
        live.tests += 1;
        out.actions.push(Action::Check {
            id,
            run,
            number: live.tests,
            test,
            timeout,
        });
    }
}
