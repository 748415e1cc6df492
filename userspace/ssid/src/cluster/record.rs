//! What this node saw of the cluster: the view it went by last, since when, and the last
//! transitions.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

use anyhow::Result;
use ssi_api::cluster::{Event, NodeState};
use ssi_clms::core::follower::Installed;
use ssi_clms::core::member::Why;
use ssi_clms::core::{Number, State};

use super::home::now;
use super::saved::Saved;

/// Transitions that are remembered.
const MOST: usize = 200;

/// The record.
pub(crate) struct Record {
    directory: PathBuf,
    content: Mutex<Content>,
}

struct Content {
    saved: Saved,
    events: VecDeque<Event>,
}

impl Record {
    pub(super) fn new(directory: PathBuf, saved: Saved) -> Self {
        let events = VecDeque::new();
        Self {
            directory,
            content: Mutex::new(Content { saved, events }),
        }
    }

    /// Notes a view that every subsystem has taken in.
    pub(super) fn note(&self, installed: &Installed) -> Result<()> {
        let saved = {
            let mut content = self.lock();
            let view = &installed.view;
            for transition in &installed.transitions {
                let number = transition.node.number;
                content.saved.since.insert(number, now());
                let why = view.members.get(&number).and_then(|member| member.why);
                content.events.push_back(Event {
                    epoch: view.epoch,
                    at: now(),
                    node: number.get(),
                    incarnation: transition.node.incarnation,
                    from: state(transition.from),
                    to: state(transition.to),
                    why: why
                        .filter(|_| !transition.to.is_member())
                        .map(|why| in_words(why).to_owned()),
                });
            }
            let surplus = content.events.len().saturating_sub(MOST);
            content.events.drain(..surplus);
            content.saved.view = view.as_ref().clone();
            let members = &view.members;
            content
                .saved
                .since
                .retain(|number, _| members.contains_key(number));
            content.saved.clone()
        };
        saved.save(&self.directory)
    }

    /// The last transitions, oldest first.
    pub(super) fn events(&self) -> Vec<Event> {
        self.lock().events.iter().cloned().collect()
    }

    /// Since when a node is in its state, in seconds since 1970.
    pub(super) fn since(&self, number: Number) -> Option<u64> {
        self.lock().saved.since.get(&number).copied()
    }

    fn lock(&self) -> MutexGuard<'_, Content> {
        self.content.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A state as the control socket calls it.
pub(super) const fn state(state: State) -> NodeState {
    match state {
        State::NeverUp => NodeState::NeverUp,
        State::ComingUp => NodeState::ComingUp,
        State::Up => NodeState::Up,
        State::Shutdown => NodeState::Shutdown,
        State::GoingDown => NodeState::GoingDown,
        State::KCleanup => NodeState::KCleanup,
        State::UCleanup => NodeState::UCleanup,
        State::Down => NodeState::Down,
    }
}

/// Why a node is out.
pub(super) const fn in_words(why: Why) -> &'static str {
    match why {
        Why::Unreachable => "its observers found it dead",
        Why::LeaseLost => "it could not renew its lease",
        Why::Restarted => "it was started anew",
        Why::Left => "it left",
        Why::Fenced => "it was put out",
    }
}
