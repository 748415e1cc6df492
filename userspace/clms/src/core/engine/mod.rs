//! One node's part in membership: everything that comes in, and what it does about it.

mod alone;
mod back;
mod entry;
mod hear;
mod heir;
mod install;
mod lead;
mod own;
mod pair;

use std::collections::{BTreeSet, VecDeque};
use std::fmt;
use std::sync::Arc;

use super::command::{Command, Refused, Resource};
use super::duty::Duty;
use super::follower::{Follower, Installed};
use super::member::{Candidate, Key};
use super::message::Message;
use super::prober::{Prober, Seen};
use super::ring::Ring;
use super::{Epoch, Master, NodeId, Number, Time, Timing, View};

use self::alone::Alone;
use self::own::Own;
use self::pair::Pair;

pub use self::entry::NotTaken;
pub use self::lead::Lead;

/// What a node does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Sends a probe, which the other kernel reflects.
    Probe {
        /// To whom.
        to: NodeId,
        /// Only goes up, over all probes of this node.
        nonce: u64,
        /// From which reading of the other's clock a lease runs that the probe renews.
        grant: Option<u64>,
        /// The other's `ssid` is to answer it, not the kernel.
        supervisor: bool,
        /// Under the key before.
        old_key: bool,
    },
    /// Sends a message to a member.
    Send {
        /// To whom.
        to: NodeId,
        /// What.
        message: Message,
    },
    /// Sends a message to a node whose kernel may not let this node in, by the way that
    /// newcomers use.
    Door {
        /// To whom.
        to: NodeId,
        /// What.
        message: Message,
    },
    /// Sends a message to any member it knows how to reach, another one each time: this
    /// node isn't one itself, or nobody seems to hear it.
    Contact(Message),
    /// As the leader of the log: has this voter lead it.
    HandOver(NodeId),
    /// Writes to the view log. Only what comes back by [`Engine::committed`] counts.
    Propose(Command),
    /// As the master: a node's `ssid` does not answer, though its kernel does; or it does
    /// again.
    Stalled {
        /// Whose.
        id: NodeId,
        /// Whether it is.
        stalled: bool,
    },
    /// Founds the log anew with this entry: whatever this node's log had is over.
    Refound(Command),
    /// Has the fencing device switch a node off; what it says comes back by
    /// [`Engine::switched_off`]. Only if there is one ([`Start::fencing`]).
    SwitchOff {
        /// Which.
        id: NodeId,
        /// Tells this request from all others.
        request: u64,
    },
    /// The view is a new one. Every subsystem says when it has taken it in.
    Install(Installed),
    /// This node holds its lease until then: for the kernel, which goes by it without us.
    Lease(Time),
    /// This node holds its lease until then and no longer, though it was to: for the kernel,
    /// before anything else.
    Lower(Time),
    /// The lease is over: stop all that another node may do instead.
    Fence,
    /// There is a lease again, and nothing was given away: go on.
    Unfence,
    /// This life is over: kill what was stopped, and join anew.
    Rejoin,
    /// The cluster doesn't take this node in.
    Refused(Refused),
    /// Tells one who wants to join by way of this node that it can't be.
    TurnAway {
        /// Who.
        key: Key,
        /// Why not.
        why: Refused,
    },
}

/// What a node is when it starts.
pub struct Start {
    /// How long things may take.
    pub timing: Timing,
    /// Who it is.
    pub candidate: Candidate,
    /// The number it wants if it has none yet.
    pub number: Option<Number>,
    /// The view it knew last; the empty one if it has been in no cluster.
    pub view: View,
    /// Which life of it goes on: `ssid` was restarted, the node was not.
    pub id: Option<NodeId>,
    /// Names of the subsystems that take views in, besides the kernel.
    pub subsystems: Vec<String>,
    /// What the cluster has to give, one owner each.
    pub resources: BTreeSet<Resource>,
    /// Whether there is a fencing device that can switch other nodes off.
    pub fencing: bool,
    /// Where probe keys come from; nobody outside may guess them.
    pub entropy: Box<dyn FnMut() -> u64 + Send>,
}

/// One node.
pub struct Engine {
    timing: Timing,
    candidate: Candidate,
    number: Option<Number>,
    /// Which life this is; none: it isn't a member.
    id: Option<NodeId>,
    follower: Follower,
    ring: Ring,
    prober: Prober,
    nonce: u64,
    own: Own,
    pair: Pair,
    fencing: bool,
    duty: Option<Duty>,
    /// Whether it leads the log, as a member or not.
    leading: bool,
    /// What it has proposed and not seen committed, and when.
    proposed: Option<(Command, Time)>,
    /// When a majority of the voters last confirmed this node as the leader.
    acked: Time,
    alone: Alone,
    /// The view's master, and when it learnt of it.
    mastered: (Option<Master>, Time),
    resources: BTreeSet<Resource>,
    /// When to tell the master how far it is, though nothing has changed.
    report_due: Time,
    /// When to look over the master's desk again, and whether to do so at once.
    lead_due: Time,
    lead_now: bool,
    /// By whom the message came that is being dealt with, if not directly.
    via: Option<NodeId>,
    /// When to ask to be taken in again.
    join_due: Time,
    /// How often it has asked in vain.
    knocks: usize,
    /// The life that it ends by its own wish.
    leaving: Option<NodeId>,
    /// Whether its last life ended so: then it asks nobody to be taken in.
    left: bool,
    entropy: Box<dyn FnMut() -> u64 + Send>,
    out: VecDeque<Output>,
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine")
            .field("id", &self.id)
            .field("epoch", &self.follower.view().epoch)
            .field("master", &self.duty.is_some())
            .finish_non_exhaustive()
    }
}

impl Engine {
    /// A node at `now`. Its nonces begin with its clock, so that they go up over restarts.
    #[must_use]
    pub fn new(now: Time, start: Start) -> Self {
        let mut engine = Self {
            prober: Prober::new(&start.timing),
            own: Own::new(now),
            pair: Pair::new(now),
            fencing: start.fencing,
            timing: start.timing,
            candidate: start.candidate,
            number: start.number,
            id: None,
            mastered: (start.view.master, now),
            follower: Follower::new(start.view, start.subsystems),
            ring: Ring::default(),
            nonce: now.0,
            duty: None,
            leading: false,
            proposed: None,
            acked: Time(0),
            alone: Alone::default(),
            resources: start.resources,
            report_due: now,
            lead_due: now,
            lead_now: false,
            via: None,
            join_due: now,
            knocks: 0,
            leaving: None,
            left: false,
            entropy: start.entropy,
            out: VecDeque::new(),
        };
        if let Some(id) = start.id
            && engine.view().has(id)
        {
            engine.id = Some(id);
            engine.own = Own::resumed(now);
            engine.observe(now);
        }
        engine
    }

    /// The view it goes by.
    #[must_use]
    pub fn view(&self) -> &Arc<View> {
        self.follower.view()
    }

    /// Which life of which node this is; none while it is no member.
    #[must_use]
    pub fn id(&self) -> Option<NodeId> {
        self.id
    }

    /// Whether it has stopped everything because its lease is over.
    #[must_use]
    pub fn is_fenced(&self) -> bool {
        self.own.is_fenced()
    }

    /// Whether it may act as the owner of a resource now.
    #[must_use]
    pub fn owns(&self, resource: &str) -> bool {
        let held = self.view().owners.get(resource);
        !self.own.is_fenced() && self.id.is_some() && held.and_then(|held| held.owner) == self.id
    }

    /// Whether it gives leases now: no other node does.
    #[must_use]
    pub fn is_master(&self, now: Time) -> bool {
        self.may_give(now)
    }

    /// The master's desk, if this node leads.
    #[must_use]
    pub fn duty(&self) -> Option<&Duty> {
        self.duty.as_ref()
    }

    /// What it does next; call it until there is nothing.
    pub fn poll(&mut self) -> Option<Output> {
        self.out.pop_front()
    }

    /// An entry of the log was committed, as the local log knows.
    pub fn committed(&mut self, now: Time, epoch: Epoch, command: &Command) {
        self.update(now, epoch, command);
    }

    /// A whole view, as the local log knows it.
    pub fn restored(&mut self, now: Time, view: View) {
        if let Some(installed) = self.follower.snapshot(view) {
            self.installed(now, installed);
        }
    }

    /// Asks to be let go; say it again until the view says so. It does not come back but by
    /// another engine.
    pub fn leave(&mut self, now: Time) {
        let Some(id) = self.id else { return };
        self.leaving = Some(id);
        match &mut self.duty {
            Some(duty) => {
                duty.leaving.insert(id);
                self.lead(now);
            }
            None => self.tell_master(Message::Leave),
        }
    }

    /// A subsystem has taken in everything up to an epoch.
    pub fn took(&mut self, now: Time, subsystem: &str, epoch: Epoch) {
        let before = (self.follower.kernel(), self.follower.done());
        self.follower.took(subsystem, epoch);
        if self.follower.kernel() > before.0 {
            self.show(now);
        }
        if before != (self.follower.kernel(), self.follower.done()) {
            self.report(now);
        }
    }

    /// A probe came back, with the other kernel's clock and whether it holds a lease. Give
    /// it all that have come in before the next [`Self::tick`].
    pub fn reflected(&mut self, now: Time, from: NodeId, nonce: u64, clock: u64, holds: bool) {
        if let Some(seen) = self.prober.reflected(now, from, nonce) {
            self.saw(now, &[seen]);
        }
        if let Some(duty) = &mut self.duty
            && self.follower.view().has(from)
        {
            duty.ledger.told(now, from, clock, holds);
        }
    }

    /// Another node's `ssid` has answered a probe of it.
    pub fn answered(&mut self, now: Time, from: NodeId, nonce: u64) {
        let seen = self.prober.answered(now, from, nonce);
        self.saw(now, &seen);
    }

    /// Members whose `ssid` does not answer, though their kernels do: on the master all,
    /// elsewhere those that this node observes.
    #[must_use]
    pub fn stalled(&self) -> BTreeSet<NodeId> {
        match &self.duty {
            Some(duty) => duty.stalled(self.view()),
            None => self.prober.stalled().collect(),
        }
    }

    /// When [`Self::tick`] has something to do, at the latest.
    #[must_use]
    pub fn due(&self) -> Time {
        if self.id.is_none() {
            return self.join_due;
        }
        let observing = self.prober.due().min(self.report_due);
        observing.min(self.own.due()).min(self.lead_due())
    }

    /// Does what is due. `lease` is until when the kernel holds this node's lease: probes
    /// of the master renew it without us.
    pub fn tick(&mut self, now: Time, lease: Time) {
        let mut seen = Vec::new();
        if self.id.is_some() {
            let nonce = &mut self.nonce;
            self.prober.tick(
                now,
                || {
                    *nonce = (*nonce + 1).max(now.0);
                    *nonce
                },
                &mut seen,
            );
        }
        self.saw(now, &seen);
        self.hold(now, lease);
        self.see_to_pair(now);
        if self.id.is_none() {
            self.knock(now);
            self.come_back(now);
        } else if now >= self.report_due {
            self.report(now);
        }
        self.lead(now);
    }

    /// Acts on what its observing has brought.
    fn saw(&mut self, now: Time, seen: &[Seen]) {
        let mut news = false;
        for what in seen {
            match *what {
                Seen::Probe {
                    to,
                    nonce,
                    supervisor,
                    old_key,
                } => self.out.push_back(Output::Probe {
                    to,
                    nonce,
                    grant: None,
                    supervisor,
                    old_key,
                }),
                Seen::Suspect(who) => {
                    // More may have failed together with it: they are to go together.
                    self.prober.look_around(now);
                    let others: Vec<NodeId> = self.ring.observers(who).collect();
                    for to in others {
                        if Some(to) != self.id {
                            self.send(to, Message::LookAround);
                        }
                    }
                }
                Seen::Dead(_) | Seen::Alive(_) | Seen::Stalled(_) | Seen::Runs(_) => news = true,
            }
        }
        if news {
            self.report(now);
        }
    }

    fn send(&mut self, to: NodeId, message: Message) {
        self.out.push_back(Output::Send { to, message });
    }
}
