//! How a run ends, and what comes after it.

use std::hash::Hasher as _;
use std::time::Duration;

use siphasher::sip::SipHasher13;

use super::phase::{Down, Ending, Phase, Then};
use super::{Instance, Out};
use crate::core::action::{Action, Signal};
use crate::core::event::Heard;
use crate::core::exit::{Exit, Failure};
use crate::core::time::Time;

/// How long from one SIGKILL to the next: what hangs in the kernel dies when it can.
const KILL_AGAIN: Duration = Duration::from_secs(5);
/// How long another node has to take over what can't run here.
const REJECT_WAIT: Duration = Duration::from_secs(5);

impl Instance {
    /// Its main process has ended, and nobody wanted it to.
    pub(super) fn exited(&mut self, now: Time, exit: Exit, rest: bool, out: &mut Out) {
        let (id, run) = (self.id.clone(), self.kept.run);
        let background = self.process.daemonize;
        let Some(live) = self.live() else { return };
        if background && !live.daemonized && exit == Exit::Code(0) {
            if !rest {
                return self.failed(now, Failure::NoDaemon, false, out);
            }
            live.main = None;
            out.actions.push(Action::FindDaemon { id, run });
            return;
        }
        match exit {
            Exit::Code(code) if self.process.down.contains(&code) => {
                self.kept.record.last = Some(Failure::Exit(exit));
                self.kept.record.last_died = Some(now);
                self.after(now, Then::Down(Down::Code(code)), rest, out);
            }
            Exit::Code(code) if self.process.reject.contains(&code) => {
                let failure = Failure::Exit(exit);
                let more = self.kept.record.failed(now, failure, &self.process);
                self.kept.again = true;
                out.failed = true;
                let then = more.map_or(Then::Down(Down::Errors), |_| Then::Reject(exit));
                self.after(now, then, rest, out);
            }
            _ => self.failed(now, Failure::Exit(exit), rest, out),
        }
    }

    /// It failed while its main process is there: it is ended in order.
    pub(super) fn fail(&mut self, now: Time, failure: Failure, out: &mut Out) {
        let then = self.count(now, failure, out);
        self.end(now, then, out);
    }

    /// It failed, and its main process is gone.
    pub(super) fn failed(&mut self, now: Time, failure: Failure, rest: bool, out: &mut Out) {
        let then = self.count(now, failure, out);
        self.after(now, then, rest, out);
    }

    fn count(&mut self, now: Time, failure: Failure, out: &mut Out) -> Then {
        out.failed = true;
        self.kept.again = true;
        let wait = self.kept.record.failed(now, failure, &self.process);
        let wait = wait.map(|wait| self.spread(wait, out.seed));
        wait.map_or(Then::Down(Down::Errors), Then::Pause)
    }

    /// A wait, up to a quarter shorter: by another part for each process, error and node.
    /// What `respawn_time` asks for it keeps.
    fn spread(&self, wait: Duration, seed: u64) -> Duration {
        let mut hasher = SipHasher13::new_with_keys(seed, self.kept.record.total);
        hasher.write(self.id.process.as_bytes());
        hasher.write_u32(self.id.instance);
        let part = u32::from((hasher.finish() & 0xffff) as u16);
        let shorter = wait.saturating_sub((wait / 4).saturating_mul(part) / 0x1_0000);
        let least = self.process.respawn_time.0.min(wait);
        shorter.max(least)
    }

    /// The main process is gone: at once what comes then, or when the rest is gone too.
    fn after(&mut self, now: Time, then: Then, rest: bool, out: &mut Out) {
        if !rest {
            return self.settle(now, then, out);
        }
        self.kept.phase = Phase::Ending(Ending {
            then,
            main: None,
            main_left: false,
            rest_left: true,
            by: now,
            kills: 0,
        });
        self.kill(now, out);
    }

    /// Ends it; what is being ended already gets another future.
    pub(crate) fn end(&mut self, now: Time, then: Then, out: &mut Out) {
        if let Phase::Ending(ending) = &mut self.kept.phase {
            ending.then = then;
            return;
        }
        if !self.kept.phase.is_alive() {
            return self.settle(now, then, out);
        }
        self.kept.phase = Phase::Ending(Ending {
            then,
            main: self.main(),
            main_left: !matches!(&self.kept.phase, Phase::Running(live) if live.main.is_none()),
            rest_left: true,
            by: now + self.process.term_wait.0,
            kills: 0,
        });
        if self.frozen || self.process.term_wait.is_zero() {
            return self.kill(now, out);
        }
        self.signal(Signal::Stop(self.process.stop_signal), out);
    }

    /// Ends it without waiting for anything.
    pub(crate) fn end_at_once(&mut self, now: Time, then: Then, out: &mut Out) {
        self.end(now, then, out);
        if matches!(&self.kept.phase, Phase::Ending(ending) if ending.kills == 0) {
            self.kill(now, out);
        }
    }

    /// SIGKILL, and once more if that isn't enough.
    pub(super) fn kill(&mut self, now: Time, out: &mut Out) {
        if let Phase::Ending(ending) = &mut self.kept.phase {
            ending.kills = ending.kills.saturating_add(1);
            ending.by = now + KILL_AGAIN;
            self.signal(Signal::Kill, out);
        }
    }

    /// The old supervisor may have ended before the signal went out.
    pub(super) fn signal_again(&self, out: &mut Out) {
        match &self.kept.phase {
            Phase::Ending(ending) if ending.kills == 0 => {
                self.signal(Signal::Stop(self.process.stop_signal), out);
            }
            Phase::Ending(_) => self.signal(Signal::Kill, out),
            _ => {}
        }
    }

    fn signal(&self, signal: Signal, out: &mut Out) {
        out.actions.push(Action::Signal {
            id: self.id.clone(),
            run: self.kept.run,
            signal,
        });
    }

    /// Something about a run that is being ended.
    pub(super) fn ending(&mut self, now: Time, heard: Heard, out: &mut Out) {
        let Phase::Ending(ending) = &mut self.kept.phase else {
            return;
        };
        match heard {
            Heard::Started(main) => ending.main = Some(main),
            Heard::NotStarted(_) | Heard::Absent => {
                (ending.main_left, ending.rest_left) = (false, false);
            }
            Heard::Exited { rest, .. } => (ending.main_left, ending.rest_left) = (false, rest),
            Heard::Emptied => ending.rest_left = false,
            _ => return,
        }
        if ending.main_left || ending.rest_left {
            return;
        }
        let then = ending.then.clone();
        self.settle(now, then, out);
    }

    /// No process of it is left.
    fn settle(&mut self, now: Time, then: Then, out: &mut Out) {
        self.kept.phase = match then {
            Then::Pause(wait) if wait.is_zero() => Phase::Waiting,
            Then::Pause(wait) => Phase::Pausing { until: now + wait },
            Then::Start => Phase::Waiting,
            Then::Down(down) => Phase::Down(down),
            Then::Stopped(stop) => Phase::Stopped(stop),
            Then::Reject(exit) => {
                let id = self.id.clone();
                out.actions.push(Action::Elsewhere { id, exit });
                let until = now + REJECT_WAIT;
                Phase::Rejected { until, exit }
            }
            Then::Gone => {
                let carried = self.kept.record.carried(now);
                let id = self.id.clone();
                out.actions.push(Action::Gone { id, carried });
                Phase::Gone
            }
        };
    }
}
