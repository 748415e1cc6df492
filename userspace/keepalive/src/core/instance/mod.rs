//! One instance: from event to phase, alone, without those it belongs to or waits for.

mod end;
mod live;
mod phase;
mod why;

use std::sync::Arc;

use serde::{Deserialize, Serialize};

pub(crate) use phase::{Down, Phase, Stop, Then};

use self::live::Live;
use super::action::Action;
use super::condition::Condition;
use super::event::Heard;
use super::exit::{Exit, Failure};
use super::id::{Id, Main, Run};
use super::record::Record;
use super::state::State;
use super::time::Time;
use crate::config::Process;

/// One instance of a process on this node.
#[derive(Clone, Debug)]
pub(crate) struct Instance {
    pub(crate) id: Id,
    pub(crate) process: Arc<Process>,
    /// Another node may run it, if this one can't.
    pub(crate) can_move: bool,
    pub(crate) kept: Kept,
    /// Its processes stand still.
    frozen: bool,
}

/// What of an instance outlives its supervisor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    pub(crate) run: Run,
    /// The next start, or this one, is one after a failure.
    pub(crate) again: bool,
    pub(crate) record: Record,
    pub(crate) phase: Phase,
    /// What it is to be ended for, as soon as whoever depends on it has ended.
    pub(crate) held: Option<Then>,
    /// It starts only when all of its group can, which are being restarted together.
    pub(crate) together: bool,
}

impl Kept {
    /// The machine has been booted since: no process is left, and its clock begins anew.
    /// What operators wanted still holds.
    pub(crate) fn after_boot(&mut self) {
        let then = match &self.phase {
            Phase::Ending(ending) => Some(ending.then.clone()),
            _ => self.held.clone(),
        };
        self.phase = match (self.phase.clone(), then) {
            (_, Some(Then::Stopped(stop))) => Phase::Stopped(stop),
            (_, Some(Then::Down(down))) => Phase::Down(down),
            (stays @ (Phase::Down(_) | Phase::Stopped(_)), _) => stays,
            _ => Phase::Waiting,
        };
        self.again = false;
        self.held = None;
        self.together = false;
        self.record.after_boot();
    }
}

/// What comes of an event.
#[derive(Debug, Default)]
pub(crate) struct Out {
    /// What is to be done.
    pub(crate) actions: Vec<Action>,
    /// It has failed.
    pub(crate) failed: bool,
    /// Makes waits differ.
    pub(crate) seed: u64,
}

impl Instance {
    pub(crate) fn new(id: Id, process: Arc<Process>, can_move: bool, record: Record) -> Self {
        let phase = if process.enabled {
            Phase::Waiting
        } else {
            Phase::Stopped(Stop::Disabled)
        };
        let kept = Kept {
            run: 0,
            again: false,
            record,
            phase,
            held: None,
            together: false,
        };
        Self::kept(id, process, can_move, kept)
    }

    pub(crate) const fn kept(id: Id, process: Arc<Process>, can_move: bool, kept: Kept) -> Self {
        Self {
            id,
            process,
            can_move,
            kept,
            frozen: false,
        }
    }

    pub(crate) fn state(&self) -> State {
        self.kept
            .phase
            .state(self.kept.again, self.process.daemonize)
    }

    pub(crate) const fn is_ready(&self) -> bool {
        matches!(&self.kept.phase, Phase::Running(live) if live.ready)
    }

    /// What it is good for. What is to be ended as soon as others have ended is good for
    /// nothing new.
    pub(crate) const fn condition(&self) -> Option<Condition> {
        match &self.kept.phase {
            Phase::Running(live) if live.ready && self.kept.held.is_none() => {
                Some(if live.is_well() {
                    Condition::Ready
                } else {
                    Condition::Unwell
                })
            }
            Phase::Down(_) => Some(Condition::Down),
            _ => None,
        }
    }

    /// Its main process, if it is known.
    pub(crate) const fn main(&self) -> Option<Main> {
        match &self.kept.phase {
            Phase::Running(live) => live.main,
            Phase::Ending(ending) => ending.main,
            _ => None,
        }
    }

    fn live(&mut self) -> Option<&mut Live> {
        match &mut self.kept.phase {
            Phase::Running(live) => Some(live),
            _ => None,
        }
    }

    /// When it wants to be [`tick`](Self::tick)ed.
    pub(crate) fn due(&self) -> Option<Time> {
        match &self.kept.phase {
            Phase::Running(_) if self.frozen => None,
            Phase::Running(live) => live.due(),
            Phase::Ending(ending) => Some(ending.by),
            Phase::Pausing { until } | Phase::Rejected { until, .. } => Some(*until),
            _ => None,
        }
    }

    /// Nothing it waits for is missing.
    pub(crate) fn start(&mut self, now: Time, out: &mut Out) {
        if self.kept.phase != Phase::Waiting {
            return;
        }
        self.kept.run += 1;
        self.kept.record.started = Some(now);
        self.kept.phase = Phase::Starting;
        out.actions.push(Action::Start {
            id: self.id.clone(),
            run: self.kept.run,
            process: self.process.clone(),
        });
    }

    /// A process that runs already is this instance from now on.
    pub(crate) fn adopt(&mut self, now: Time, main: Main, out: &mut Out) {
        self.kept.run += 1;
        self.kept.again = false;
        self.kept.together = false;
        // Whatever is said of this instance, that process goes on as yet.
        self.frozen = false;
        self.kept.record.started = Some(now);
        let mut live = Live::new(Some(main), now, &self.process);
        live.daemonized = true;
        self.kept.phase = Phase::Running(live);
        out.actions.push(Action::Watch {
            id: self.id.clone(),
            run: self.kept.run,
            main: Some(main),
            process: self.process.clone(),
        });
    }

    /// The supervisor is a new one: what became of the processes meanwhile?
    pub(crate) fn recover(&mut self, now: Time, out: &mut Out) {
        let process = self.process.clone();
        if let Some(live) = self.live() {
            live.refresh(now, &process);
        }
        if self.kept.phase.is_alive() {
            out.actions.push(Action::Watch {
                id: self.id.clone(),
                run: self.kept.run,
                main: self.main(),
                process,
            });
        }
        self.signal_again(out);
    }

    /// Something about a run; about an earlier one it is nothing.
    pub(crate) fn hear(&mut self, now: Time, run: Run, heard: Heard, out: &mut Out) {
        if run != self.kept.run {
            return;
        }
        match (&mut self.kept.phase, heard) {
            (Phase::Starting, Heard::Started(main)) => {
                let live = Live::new(Some(main), now, &self.process);
                self.kept.phase = Phase::Running(live);
            }
            (Phase::Starting, Heard::NotStarted(why)) => {
                self.failed(now, Failure::NotStarted(why), false, out);
            }
            (Phase::Running(_), Heard::Exited { exit, rest }) => {
                self.exited(now, exit, rest, out);
            }
            // The old supervisor has started it, and nobody has seen more of it than its end.
            (Phase::Starting, Heard::Exited { exit, rest }) => {
                let live = Live::new(None, now, &self.process);
                self.kept.phase = Phase::Running(live);
                self.exited(now, exit, rest, out);
            }
            // It was not started before the old supervisor ended; that is nobody's error.
            (Phase::Starting, Heard::Absent) => self.kept.phase = Phase::Waiting,
            (Phase::Running(live), Heard::Emptied | Heard::Absent) if live.main.is_none() => {
                self.failed(now, Failure::NoDaemon, false, out);
            }
            (Phase::Running(_), Heard::Absent) => {
                self.exited(now, Exit::Unknown, false, out);
            }
            (Phase::Running(_), Heard::Daemon(main)) => self.daemonized(now, main),
            (Phase::Running(_), Heard::Ready) => self.says_ready(now),
            (Phase::Running(_), Heard::Alive) => self.says_alive(now),
            (Phase::Running(_), Heard::Checked { number, passed }) => {
                self.checked(now, number, passed, out);
            }
            (Phase::Ending(_), heard) => self.ending(now, heard, out),
            _ => {}
        }
    }

    /// A moment that [`due`](Self::due) named has come.
    pub(crate) fn tick(&mut self, now: Time, out: &mut Out) {
        if self.due().is_none_or(|due| now < due) {
            return;
        }
        match &self.kept.phase {
            Phase::Running(_) => self.overdue(now, out),
            Phase::Ending(_) => self.kill(now, out),
            Phase::Pausing { .. } | Phase::Rejected { .. } => self.kept.phase = Phase::Waiting,
            _ => {}
        }
    }

    /// Whether its processes stand still is known from elsewhere.
    pub(crate) const fn stands_still(&mut self, frozen: bool) {
        self.frozen = frozen;
    }

    /// Its processes stand still, or go on: the lease is over, or there is one again.
    pub(crate) fn freeze(&mut self, now: Time, frozen: bool, out: &mut Out) {
        if self.frozen == frozen {
            return;
        }
        self.frozen = frozen;
        if !self.kept.phase.is_alive() {
            return;
        }
        out.actions.push(Action::Freeze {
            id: self.id.clone(),
            run: self.kept.run,
            frozen,
        });
        let process = self.process.clone();
        match &mut self.kept.phase {
            // What stands still hears no request to end.
            Phase::Ending(_) if frozen => self.kill(now, out),
            Phase::Running(live) if !frozen => live.refresh(now, &process),
            _ => {}
        }
    }
}
