//! An observer: probes its subjects and says which of them are dead.
//!
//! A probe is missed when the next one is due and no reflection has come. What counts is
//! how many probes in a row were missed, not how much time has passed: an observer that
//! was itself held up for seconds sends one probe when it comes back, and judges by that.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{NodeId, Time, Timing};

/// What an observer does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seen {
    /// Sends a probe, which the other node's kernel reflects.
    Probe {
        /// To whom.
        to: NodeId,
        /// Tells this probe from all others that this node has sent.
        nonce: u64,
        /// It is the other's `ssid` that is to answer, not its kernel.
        supervisor: bool,
        /// Under the key before: the other's kernel may know no other.
        old_key: bool,
    },
    /// Asks the other observers of a node to look at once.
    Suspect(NodeId),
    /// Finds a node dead.
    Dead(NodeId),
    /// Finds a node alive that it had found dead.
    Alive(NodeId),
    /// Finds that a node's `ssid` does not answer, though its kernel does.
    Stalled(NodeId),
    /// Finds that it answers again.
    Runs(NodeId),
}

/// How it stands with one subject.
#[derive(Clone, Debug)]
struct Subject {
    /// How often it is probed while it is quiet.
    idle: Duration,
    /// When the next probe is due.
    due: Time,
    /// How long after the next reflection, if not after the usual interval: a node's
    /// observers spread over it.
    spread: Option<Duration>,
    /// Nonce of the first probe since the last reflection.
    since: Option<u64>,
    /// Probes missed in a row.
    misses: u32,
    /// It is probed under the key before. A kernel whose `ssid` is away when the key changes
    /// knows no other; so after each probe that is missed it is the other one's turn.
    old_key: bool,
    /// When others last asked to look at it, so that a doubtful observer can't make this
    /// one probe without end.
    asked: Option<Time>,
    dead: bool,
    ssid: Supervisor,
}

/// How it stands with a subject's `ssid`. That one doesn't answer puts nobody out.
#[derive(Clone, Debug)]
struct Supervisor {
    /// When it is to be asked instead of the kernel.
    due: Time,
    /// Questions in a row that it has not answered.
    unanswered: u32,
}

impl Supervisor {
    const fn is_stalled(&self) -> bool {
        self.unanswered > PATIENCE
    }
}

/// The subjects of one observer.
#[derive(Clone, Debug)]
pub struct Prober {
    subjects: BTreeMap<NodeId, Subject>,
    burst: Duration,
    limit: u32,
    /// How often this observer asks a subject's `ssid`, and how often one that has not
    /// answered.
    supervise: Duration,
    insist: Duration,
}

/// How many questions in a row a `ssid` may leave open.
const PATIENCE: u32 = 2;

/// Probes missed in a row after which the other observers are asked to look too.
const SUSPICIOUS: u32 = 2;
/// For how many probes' time a node that was just looked at is not looked at again.
const LOOKED: u32 = 8;
/// How much slower a node is probed once it has been found dead.
const LET_BE: u32 = 4;

impl Prober {
    /// An observer of nobody.
    #[must_use]
    pub fn new(timing: &Timing) -> Self {
        Self {
            subjects: BTreeMap::new(),
            burst: timing.burst,
            limit: Timing::misses(0),
            supervise: timing.supervise,
            insist: timing.supervise,
        }
    }

    /// Observes other nodes from now on; what is known of those that stay is kept.
    /// `observers`: how many each has. `master`: who renews the leases of all others.
    pub fn observe(
        &mut self,
        now: Time,
        subjects: impl IntoIterator<Item = NodeId>,
        observers: usize,
        master: Option<NodeId>,
        timing: &Timing,
    ) {
        self.limit = Timing::misses(observers);
        self.supervise = timing.supervise * u32::try_from(observers.max(1)).unwrap_or(1);
        let mut old = std::mem::take(&mut self.subjects);
        let subjects: Vec<NodeId> = subjects.into_iter().collect();
        let count = u32::try_from(subjects.len().max(1)).unwrap_or(u32::MAX);
        for (place, id) in (0_u32..).zip(subjects) {
            let idle = timing.idle(observers, master.is_none_or(|master| master == id));
            // The observers of a node have it in different places.
            let spread = idle * (place + 1) / count;
            // A new one is looked at soon: the change that made it so may not be the last.
            let mut subject = old.remove(&id).unwrap_or(Subject {
                idle,
                due: now + self.burst * place / count,
                spread: Some(spread),
                since: None,
                misses: 0,
                old_key: false,
                asked: None,
                dead: false,
                ssid: Supervisor {
                    due: now + self.supervise * place / count,
                    unanswered: 0,
                },
            });
            if subject.idle > idle {
                subject.due = subject.due.min(now + spread);
            }
            subject.idle = idle;
            self.subjects.insert(id, subject);
        }
    }

    /// When [`Self::tick`] has something to do.
    #[must_use]
    pub fn due(&self) -> Time {
        let due = self.subjects.values().map(|subject| subject.due).min();
        due.unwrap_or(Time::NEVER)
    }

    /// Whom it finds dead now.
    pub fn dead(&self) -> impl Iterator<Item = NodeId> {
        let dead = self.subjects.iter().filter(|(_, subject)| subject.dead);
        dead.map(|(id, _)| *id)
    }

    /// Whose `ssid` doesn't answer, though their kernels do.
    pub fn stalled(&self) -> impl Iterator<Item = NodeId> {
        let stalled = self.subjects.iter();
        stalled
            .filter(|(_, subject)| subject.ssid.is_stalled() && !subject.dead)
            .map(|(id, _)| *id)
    }

    /// Whether it misses a subject's reflections: all that it has ever missed in a row
    /// before it finds it dead, or fewer.
    #[must_use]
    pub fn misses(&self, id: NodeId) -> u32 {
        self.subjects.get(&id).map_or(0, |subject| subject.misses)
    }

    /// A probe came back. Give it all that has come in before the next [`Self::tick`].
    pub fn reflected(&mut self, now: Time, from: NodeId, nonce: u64) -> Option<Seen> {
        let subject = self.subjects.get_mut(&from)?;
        // Reflections of probes from before the last one say nothing new: they may have
        // been kept back and sent again.
        let since = subject.since?;
        if nonce < since {
            return None;
        }
        subject.since = None;
        subject.misses = 0;
        subject.due = now + subject.spread.take().unwrap_or(subject.idle);
        if subject.ssid.unanswered > 0 {
            subject.due = subject.due.min(subject.ssid.due.max(now));
        }
        let was_dead = std::mem::take(&mut subject.dead);
        was_dead.then_some(Seen::Alive(from))
    }

    /// A subject's `ssid` has answered, however late.
    pub fn answered(&mut self, now: Time, from: NodeId, nonce: u64) -> Vec<Seen> {
        let mut seen = Vec::new();
        let supervise = self.supervise;
        // First: whoever has no question open is not asked again before its time.
        if let Some(subject) = self.subjects.get_mut(&from) {
            if subject.ssid.is_stalled() {
                seen.push(Seen::Runs(from));
            }
            subject.ssid.unanswered = 0;
            subject.ssid.due = now + supervise;
        }
        seen.extend(self.reflected(now, from, nonce));
        seen
    }

    /// Another observer has doubts about a node: look at once.
    pub fn look(&mut self, now: Time, id: NodeId) {
        let often = self.burst * LOOKED;
        if let Some(subject) = self.subjects.get_mut(&id)
            && subject.misses == 0
            && subject.asked.is_none_or(|asked| now >= asked + often)
        {
            subject.asked = Some(now);
            // Afterwards it goes on as before: else all its observers would probe it at one
            // time from then on, and nobody in between.
            subject.spread.get_or_insert(subject.due.since(now));
            subject.due = subject.due.min(now);
        }
    }

    /// Several nodes have failed: look at all of them at once.
    pub fn look_around(&mut self, now: Time) {
        let all: Vec<NodeId> = self.subjects.keys().copied().collect();
        for id in all {
            self.look(now, id);
        }
    }

    /// Does what is due. `nonce` gives numbers that only go up.
    pub fn tick(&mut self, now: Time, mut nonce: impl FnMut() -> u64, out: &mut Vec<Seen>) {
        for (id, subject) in &mut self.subjects {
            if subject.due > now {
                continue;
            }
            if subject.since.is_some() {
                subject.old_key = !subject.old_key;
            }
            if subject.since.is_some() && subject.misses < self.limit {
                subject.misses += 1;
                if subject.misses == SUSPICIOUS {
                    out.push(Seen::Suspect(*id));
                }
                if subject.misses == self.limit {
                    subject.dead = true;
                    out.push(Seen::Dead(*id));
                }
            }
            // Whoever answers for the supervisor answers for the node: this one instead of a
            // probe of the kernel, which is asked at once if nothing comes back.
            let supervisor = subject.misses == 0 && now >= subject.ssid.due;
            if supervisor {
                let was_stalled = subject.ssid.is_stalled();
                subject.ssid.unanswered = (subject.ssid.unanswered + 1).min(PATIENCE + 1);
                subject.ssid.due = now + self.insist;
                if subject.ssid.is_stalled() && !was_stalled {
                    out.push(Seen::Stalled(*id));
                }
            }
            let number = nonce();
            subject.since.get_or_insert(number);
            out.push(Seen::Probe {
                to: *id,
                nonce: number,
                supervisor,
                old_key: subject.old_key,
            });
            subject.due = now + self.burst * if subject.dead { LET_BE } else { 1 };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::testing::id;

    #[test]
    fn a_look_moves_no_later_probe() {
        let (timing, mut now) = (Timing::default(), Time(1_000_000_000));
        let mut prober = Prober::new(&timing);
        prober.observe(now, [id(2)], 10, None, &timing);
        let mut nonce = 0;
        let mut probe = |prober: &mut Prober, now: Time| {
            let mut seen = Vec::new();
            let number = || {
                nonce += 1;
                nonce
            };
            prober.tick(now, number, &mut seen);
            assert_eq!(seen.len(), 1, "{seen:?}");
            prober.answered(now, id(2), nonce);
        };
        for _ in 0..2 {
            now = prober.due();
            probe(&mut prober, now);
        }
        let next = prober.due();
        assert_eq!(next, now + timing.idle(10, true));
        now = now + Duration::from_secs(1);
        prober.look_around(now);
        assert_eq!(prober.due(), now);
        probe(&mut prober, now);
        assert_eq!(prober.due(), next, "as if nobody had asked");
    }

    #[test]
    fn an_answer_is_followed_by_silence() {
        let (timing, start) = (Timing::default(), Time(1_000_000_000));
        let mut prober = Prober::new(&timing);
        prober.observe(start, [id(2)], 10, Some(id(3)), &timing);
        let (mut nonce, mut asked) = (0, 0);
        let end = start + Duration::from_secs(100);
        while prober.due() < end {
            let (now, mut seen) = (prober.due(), Vec::new());
            let number = || {
                nonce += 1;
                nonce
            };
            prober.tick(now, number, &mut seen);
            for what in seen {
                let Seen::Probe { supervisor, .. } = what else {
                    panic!("{what:?}");
                };
                asked += 1;
                if supervisor {
                    prober.answered(now, id(2), nonce);
                } else {
                    prober.reflected(now, id(2), nonce);
                }
            }
        }
        assert!(asked <= 11, "{asked} probes in ten intervals");
    }

    #[test]
    fn whoever_becomes_the_master_is_watched_closely_at_once() {
        let (timing, now) = (Timing::default(), Time(1_000_000_000));
        let all: Vec<NodeId> = (2..=11).map(id).collect();
        let mut prober = Prober::new(&timing);
        prober.observe(now, all.clone(), 10, Some(id(2)), &timing);
        let (mut nonce, mut seen) = (0, Vec::new());
        let mut number = || {
            nonce += 1;
            nonce
        };
        // Everybody answers twice, so that all are quiet.
        let mut later = now;
        for _ in 0..40 {
            later = prober.due();
            prober.tick(later, &mut number, &mut seen);
            for what in std::mem::take(&mut seen) {
                if let Seen::Probe { to, nonce, .. } = what {
                    prober.answered(later, to, nonce);
                }
            }
        }
        let due = |prober: &Prober, of| prober.subjects[&of].due;
        let before = due(&prober, id(2));
        assert!(before <= later + timing.idle(10, true));
        prober.observe(later, all, 10, Some(id(7)), &timing);
        assert!(due(&prober, id(7)) <= later + timing.idle(10, true));
        assert_eq!(due(&prober, id(2)), before, "not later than it was to be");
    }
}
