//! What the view log says, for the desk.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use anyhow::{Result, bail};
use ssi_clms::core::member::Member as Known;
use ssi_clms::core::{Epoch, NodeId, State, Transition, View};
use ssi_keepalive::Node;
use ssi_keepalive::agreed::{Agreed, Duty, Entry, News};
use ssi_keepalive::core::{Event, Id, Order};
use ssi_keepalive::placement::{Member, Presence};

use super::desk::Desk;
use super::life;

impl Desk {
    /// Takes an epoch of the view log in; what came of the entry, if it had one for us.
    pub(crate) fn install(
        &mut self,
        view: Arc<View>,
        own: Option<NodeId>,
        transitions: &[Transition],
        told: Option<&[u8]>,
    ) -> Result<Result<(), String>> {
        let epoch = view.epoch;
        let mut outcome = Ok(());
        let mut news = News::default();
        if epoch > self.epoch
            && let Some(body) = told
        {
            let mut agreed = self.agreed.clone();
            let entry = Entry::decode(body).map_err(|error| error.to_string());
            match entry.and_then(|entry| agreed.apply(&entry)) {
                Ok(said) => {
                    // First of all: what is done because of it must be known afterwards.
                    self.saved.save(&agreed, epoch)?;
                    self.agreed = agreed;
                    self.unsettled = true;
                    news = said;
                }
                Err(why) => outcome = Err(why),
            }
        }
        self.advance(epoch);
        let me = own.and_then(life);
        self.unsettled |= me != self.me;
        self.me = me;
        self.view = view;
        self.went(transitions);
        self.obey(news);
        if self.unsettled {
            self.reconcile();
            self.tidy();
        }
        self.said.done.send_replace(self.epoch);
        self.is_due();
        self.said.balance.send_modify(|count| *count += 1);
        Ok(outcome)
    }

    /// Takes the whole state over from another member: entries are missing here.
    pub(crate) fn import(&mut self, state: &[u8]) -> Result<()> {
        let Some((epoch, rest)) = state.split_first_chunk() else {
            bail!("another member's state is cut short");
        };
        let epoch = Epoch::from_be_bytes(*epoch);
        if epoch <= self.epoch {
            return Ok(());
        }
        let agreed = Agreed::import(rest).map_err(anyhow::Error::msg)?;
        self.saved.save(&agreed, epoch)?;
        let before = std::mem::replace(&mut self.agreed, agreed);
        self.unsettled = true;
        self.advance(epoch);
        let news = self.agreed.since(&before);
        self.obey(news);
        Ok(())
    }

    /// The whole state, for a member that lacks entries up to `epoch`.
    pub(crate) fn export(&self, epoch: Epoch) -> Result<Vec<u8>, String> {
        if self.epoch < epoch {
            return Err(format!("this node has followed the log to {}", self.epoch));
        }
        let mut bytes = self.epoch.to_be_bytes().to_vec();
        bytes.extend(self.agreed.export()?);
        Ok(bytes)
    }

    /// Up to which epoch it has followed the log.
    pub(crate) const fn epoch(&self) -> Epoch {
        self.epoch
    }

    fn advance(&mut self, epoch: Epoch) {
        self.epoch = epoch.max(self.epoch);
    }

    fn went(&mut self, transitions: &[Transition]) {
        let gone = transitions.iter().filter(|t| !t.to.is_member());
        for node in gone.filter_map(|t| Node::new(t.node.number.get())) {
            self.elsewhere.remove(&node);
            if let Ok(local) = &mut self.local {
                local.tell(Event::NodeDown(node));
            }
        }
    }

    fn obey(&mut self, news: News) {
        let Ok(local) = &mut self.local else { return };
        for id in news.abandon {
            local.tell(Event::Order(Order::Remove { id, kill: false }));
        }
        if news.configured {
            let effective = Arc::new(self.agreed.effective());
            local.tell(Event::Configured(effective));
        }
        if let Some(quiesced) = news.quiesce {
            local.tell(Event::Order(Order::Quiesce(quiesced)));
        }
        if !news.stop.is_empty() {
            local.tell(Event::Order(Order::Stop(news.stop)));
        }
        if !news.start.is_empty() {
            local.tell(Event::Order(Order::Start(news.start)));
        }
    }

    /// What is here becomes what the log says is this node's.
    pub(super) fn reconcile(&mut self) {
        let Some(me) = self.me else { return };
        self.unsettled = false;
        let Ok(local) = &mut self.local else { return };
        let now = ssi_keepalive::runner::now();
        let there: BTreeSet<Id> = (local.supervisor().list(now))
            .map(|status| status.id)
            .collect();
        let mut duties = self.agreed.duties(me);
        for id in there {
            match duties.remove(&id) {
                Some(Duty::Keep) => {}
                // It may have been told to go, and is to stay after all.
                Some(Duty::Run(carried)) => local.tell(Event::Place { id, carried }),
                Some(Duty::Leave) | None => local.tell(Event::Release(id)),
            }
        }
        for (id, duty) in duties {
            if let Duty::Run(carried) = duty {
                // It may have been this node's before it was off.
                let carried = carried.or_else(|| self.gone.remove(&id));
                local.tell(Event::Place { id, carried });
            }
        }
    }
}

/// The nodes of a view, as placement goes by them.
pub(super) fn members(view: &View, agreed: &Agreed, loads: &BTreeMap<u16, u32>) -> Vec<Member> {
    let mut up = view.present().filter(|member| member.state == State::Up);
    // Nothing serves the root file system to all yet: this stands for it.
    let root = up.next().map(|member| member.id);
    let members = view.members.values();
    members
        .filter_map(|known| {
            let id = life(known.id)?;
            Some(Member {
                id,
                presence: presence(known, agreed, id.node),
                load: loads.get(&id.node.get()).copied().unwrap_or(0),
                root: Some(known.id) == root,
            })
        })
        .collect()
}

/// A node is DOWN once its lease is over for certain, or it was switched off: that is when
/// membership gives away what it owned, too.
fn presence(known: &Known, agreed: &Agreed, node: Node) -> Presence {
    match known.state {
        State::Up => agreed.presence(node),
        State::Shutdown => Presence::Draining,
        State::ComingUp | State::GoingDown | State::KCleanup | State::UCleanup => Presence::Lost,
        State::NeverUp | State::Down => Presence::Gone,
    }
}
