//! What the master has to do: the next entry of the log, if one is due.

use std::collections::{BTreeMap, BTreeSet};

use super::command::{Command, Resource, Wish};
use super::cut::Cut;
use super::lease::Ledger;
use super::member::{Key, Member, Why};
use super::message::Report;
use super::ring::Ring;
use super::{Epoch, Master, NodeId, State, Time, Timing, View};

/// A master's desk.
#[derive(Clone, Debug)]
pub struct Duty {
    /// Itself.
    pub me: NodeId,
    /// When it was elected.
    pub since: Time,
    /// The term of the log in which it leads.
    pub term: u64,
    /// The book of leases.
    pub ledger: Ledger,
    /// What observers find.
    pub cut: Cut,
    /// How far each member is.
    pub reports: BTreeMap<NodeId, Report>,
    /// When each member was last sent something new.
    pub shown: BTreeMap<NodeId, Time>,
    /// Who wants to join, and since when.
    pub joining: BTreeMap<Key, (Time, Wish)>,
    /// Who wants to leave.
    pub leaving: BTreeSet<NodeId>,
    /// Whom the fencing device was asked to switch off.
    pub shot: BTreeSet<NodeId>,
    /// Who can't renew its lease, as it stands.
    pub lost: BTreeSet<NodeId>,
    /// Lives that are over, as their own next lives say, or a fencing device.
    pub over: BTreeMap<NodeId, Why>,
    /// It has had another lead, and gives nothing to anybody any more.
    pub handed: bool,
    /// Since when nodes that are ready to go up wait for voters.
    pub held: Option<Time>,
}

impl Duty {
    /// The desk of a node that was elected at `now`.
    #[must_use]
    pub fn new(now: Time, me: NodeId, term: u64, timing: &Timing) -> Self {
        Self {
            me,
            since: now,
            term,
            ledger: Ledger::new(now, timing),
            cut: Cut::default(),
            reports: BTreeMap::new(),
            shown: BTreeMap::new(),
            joining: BTreeMap::new(),
            leaving: BTreeSet::new(),
            shot: BTreeSet::new(),
            lost: BTreeSet::new(),
            over: BTreeMap::new(),
            handed: false,
            held: None,
        }
    }

    /// The log now says that this node is the master; `before` is the view until then, and
    /// `mastered` when this node learnt of the master in it.
    ///
    /// The last master's own lease began with its last confirmation by the voters, who
    /// elected nobody for [`Timing::mastery`] after that. A lease that it had from the master
    /// before it was given before it was master itself. Nor has it one from anybody in
    /// between: who never came to stand in the log gave none.
    pub fn confirmed(&mut self, now: Time, before: &View, mastered: Time, timing: &Timing) {
        if let Some(last) = before.master
            && last.node != self.me
        {
            let own = timing.on_any_clock(timing.own) - timing.surely(timing.mastery);
            let given = mastered + timing.on_any_clock(timing.lease);
            self.ledger
                .ends_by(now, last.node, given.max(self.since + own));
        }
    }

    /// Whether a member doesn't seem to have the view of `epoch`, and it is time to send it.
    pub fn is_behind(&mut self, now: Time, id: NodeId, epoch: Epoch, timing: &Timing) -> bool {
        let has = self
            .reports
            .get(&id)
            .is_some_and(|said| said.epoch >= epoch);
        let shown = self.shown.get(&id);
        let due = !has && shown.is_none_or(|shown| now.since(*shown) >= timing.report);
        if due {
            self.shown.insert(id, now);
        }
        due
    }

    /// Whether the log says that this node is the master: before, it gives nothing to
    /// anybody.
    #[must_use]
    pub fn is_confirmed(&self, view: &View) -> bool {
        view.master
            == Some(Master {
                node: self.me,
                term: self.term,
            })
    }

    /// The next entry, if one is due. `key` makes probe keys.
    pub fn next(
        &mut self,
        now: Time,
        view: &View,
        ring: &Ring,
        timing: &Timing,
        resources: &BTreeSet<Resource>,
        key: &mut dyn FnMut() -> u64,
    ) -> Option<Command> {
        if !self.is_confirmed(view) {
            return Some(Command::Master {
                node: self.me,
                term: self.term,
            });
        }
        self.reports.retain(|id, _| view.has(*id));
        self.shown.retain(|id, _| view.has(*id));
        self.leaving.retain(|id| view.has(*id));
        self.over.retain(|id, _| view.has(*id));
        self.lost.retain(|id| view.has(*id));
        self.remove(now, view, ring, timing, key)
            .or_else(|| self.clean_up(now, view))
            .or_else(|| self.hand_over(now, view, resources))
            .or_else(|| self.let_go(view))
            .or_else(|| self.take_in(now, view, timing))
    }

    /// Who has failed goes, all together.
    fn remove(
        &mut self,
        now: Time,
        view: &View,
        ring: &Ring,
        timing: &Timing,
        key: &mut dyn FnMut() -> u64,
    ) -> Option<Command> {
        let silent = self.silent(view);
        let cut = self.cut.decide(now, view, ring, timing, &silent);
        let mut nodes: BTreeMap<NodeId, Why> = self.over.clone();
        if !self.cut.is_open(now, timing) {
            // Else they go with those that the cut still waits for, in one change.
            nodes.extend(self.lost.iter().map(|id| (*id, Why::LeaseLost)));
        }
        nodes.extend(cut.into_iter().map(|id| (id, Why::Unreachable)));
        let done = self.done(view);
        let gone = view.present().filter(|member| is_going(member, done));
        nodes.extend(gone.map(|gone| (gone.id, Why::Left)));
        // Others elect another master before they could put this one out; and if it goes on its
        // own wish, it has another lead first.
        nodes.remove(&self.me);
        (!nodes.is_empty()).then(|| Command::Remove {
            nodes: nodes.into_iter().collect(),
            probe_key: [key(), key()],
        })
    }

    /// Who is gone is shut out everywhere, then cleaned up after, then down.
    fn clean_up(&self, now: Time, view: &View) -> Option<Command> {
        let (shut, done) = (self.shut(view), self.done(view));
        let ready = |state: State, is_ready: &dyn Fn(&Member) -> bool| -> Vec<NodeId> {
            let gone = view.leaving().filter(|gone| gone.state == state);
            gone.filter(|gone| is_ready(gone))
                .map(|gone| gone.id)
                .collect()
        };
        let shut_out = ready(State::KCleanup, &|gone| gone.since <= shut);
        if !shut_out.is_empty() {
            return Some(Command::Step {
                nodes: shut_out,
                to: State::UCleanup,
            });
        }
        let cleaned = ready(State::UCleanup, &|gone| {
            let holds_nothing = view.owned(gone.id).next().is_none();
            gone.since <= done && self.ledger.is_over(now, gone.id) && holds_nothing
        });
        (!cleaned.is_empty()).then_some(Command::Step {
            nodes: cleaned,
            to: State::Down,
        })
    }

    /// What nobody owns goes to whoever owns least, once nobody can think it has it.
    fn hand_over(&self, now: Time, view: &View, resources: &BTreeSet<Resource>) -> Option<Command> {
        let holds = |id: NodeId| id == self.me || !self.ledger.is_over(now, id);
        let able = || {
            let up = view.present().filter(|member| member.state == State::Up);
            up.filter(|member| holds(member.id))
        };
        let has_stopped = |id: NodeId, since: Epoch| {
            let has_noticed = self.reports.get(&id).is_some_and(|said| said.done >= since);
            self.ledger.is_over(now, id) || view.has(id) && has_noticed
        };
        let least = || {
            able()
                .min_by_key(|member| (view.owned(member.id).count(), member.id))
                .map(|member| member.id)
        };
        let known = view.owners.keys().chain(resources);
        known.collect::<BTreeSet<_>>().into_iter().find_map(|name| {
            let held = view.owners.get(name);
            let to = match held {
                None => Some(least()?),
                Some(held) => match (held.owner, held.before) {
                    (Some(owner), _) if view.member(owner).is_some() => {
                        let state = view.member(owner).map(|member| member.state);
                        // It leaves, and gives back first; or it has lost its lease, and
                        // with it what it had, though it is still there.
                        if state != Some(State::Shutdown) && holds(owner) {
                            return None;
                        }
                        None
                    }
                    (Some(owner), _) => {
                        if !self.ledger.is_over(now, owner) {
                            return None;
                        }
                        Some(least()?)
                    }
                    (None, Some(before)) if !has_stopped(before, held.since) => return None,
                    (None, _) => Some(least()?),
                },
            };
            Some(Command::Assign {
                resource: name.clone(),
                owner: to,
            })
        })
    }

    /// Whether this node wants to leave, and nothing but its going is left to be done.
    #[must_use]
    pub fn is_going(&self, view: &View) -> bool {
        let done = self.done(view);
        view.member(self.me).is_some_and(|own| is_going(own, done))
    }

    /// Who wants to leave goes down step by step.
    fn let_go(&self, view: &View) -> Option<Command> {
        view.present().find_map(|member| {
            let to = match member.state {
                State::Up | State::ComingUp if self.leaving.contains(&member.id) => State::Shutdown,
                State::Shutdown
                    if view.owned(member.id).next().is_none()
                        && self.has_done(member.id, member.since) =>
                {
                    State::GoingDown
                }
                _ => return None,
            };
            Some(Command::Step {
                nodes: vec![member.id],
                to,
            })
        })
    }

    /// Who is coming up and is taken in by all, and is not about to go again.
    #[must_use]
    pub fn ready(&self, view: &View) -> BTreeSet<NodeId> {
        let done = self.done(view);
        view.present()
            .filter(|member| member.state == State::ComingUp && member.since <= done)
            .map(|member| member.id)
            .filter(|id| !self.cut.is_going(*id))
            .collect()
    }

    /// Who is taken in by all is up, once there are voters enough; who asks is taken in, with
    /// all others who ask at about the same time.
    fn take_in(&mut self, now: Time, view: &View, timing: &Timing) -> Option<Command> {
        let ready = self.ready(view);
        self.held = view.votes_first(&ready).then(|| self.held.unwrap_or(now));
        // A log that can't be given more voters keeps nobody out for good.
        let waits = self
            .held
            .is_some_and(|since| now.since(since) < timing.revote);
        if !ready.is_empty() && !waits {
            return Some(Command::Step {
                nodes: ready.into_iter().collect(),
                to: State::Up,
            });
        }
        // One whose number is still being cleaned up after waits for that.
        let can = |wish: &Wish| view.can_join(wish).is_ok();
        let first = self.joining.values().filter(|(_, wish)| can(wish));
        let since = first.map(|(since, _)| *since).min()?;
        if now.since(since) < timing.settle {
            return None;
        }
        let keys: Vec<Key> = self
            .joining
            .iter()
            .filter(|(_, (_, wish))| can(wish))
            .map(|(key, _)| *key)
            .collect();
        // Two may want the same number: the first gets it.
        let mut after = view.clone();
        let mut nodes = Vec::new();
        for key in keys {
            let Some((_, wish)) = self.joining.remove(&key) else {
                continue;
            };
            let one = Command::Join {
                nodes: vec![wish.clone()],
            };
            if after.apply(&one).is_ok() {
                nodes.push(wish);
            }
        }
        Some(Command::Join { nodes })
    }

    /// Members whose `ssid` does not answer somebody, though their kernels do.
    #[must_use]
    pub fn stalled(&self, view: &View) -> BTreeSet<NodeId> {
        let found = self.reports.iter().filter(|(id, _)| view.has(**id));
        let found = found.flat_map(|(_, said)| said.stalled.iter().copied());
        found.filter(|id| view.has(*id)).collect()
    }

    /// Members of which two say so: one may be mistaken, or not hear.
    fn silent(&self, view: &View) -> BTreeSet<NodeId> {
        let mut said = BTreeMap::<NodeId, u32>::new();
        for report in self.reports.values() {
            for id in &report.stalled {
                *said.entry(*id).or_default() += 1;
            }
        }
        said.retain(|id, times| *times > 1 && view.has(*id));
        said.into_keys().collect()
    }

    fn has_done(&self, id: NodeId, epoch: Epoch) -> bool {
        self.reports.get(&id).is_some_and(|said| said.done >= epoch)
    }

    /// The epoch up to which the subsystems of all members have taken everything in.
    fn done(&self, view: &View) -> Epoch {
        self.least(view, |said| said.done)
    }

    /// The epoch that the kernels of all members go by, at least.
    fn shut(&self, view: &View) -> Epoch {
        self.least(view, |said| said.kernel)
    }

    fn least(&self, view: &View, of: impl Fn(&Report) -> Epoch) -> Epoch {
        let all = view.present().map(|member| self.reports.get(&member.id));
        all.map(|said| said.map_or(0, &of)).min().unwrap_or(0)
    }

    /// Who keeps a node from its next state: members that have not taken something in,
    /// with the subsystems that are still at work.
    #[must_use]
    pub fn waiting(&self, view: &View) -> Vec<(NodeId, Vec<String>)> {
        let needed = view
            .members
            .values()
            .filter(|member| member.state == State::ComingUp || member.state.is_cleanup())
            .map(|member| member.since)
            .max();
        let Some(needed) = needed else {
            return Vec::new();
        };
        view.present()
            .filter(|member| !self.has_done(member.id, needed))
            .map(|member| {
                let said = self.reports.get(&member.id);
                let names = said.map(|said| said.waiting.clone());
                (member.id, names.unwrap_or_default())
            })
            .collect()
    }
}

/// Whether a member wants to leave, and all have taken in that it goes; `done`: the epoch that
/// all have taken in.
fn is_going(member: &Member, done: Epoch) -> bool {
    member.state == State::GoingDown && member.since <= done
}
