//! A node's own copy of the view, and how far its subsystems have taken it in.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::command::Command;
use super::{Epoch, Transition, View};

/// The subsystem that shuts non-members out of the kernel; it comes first.
pub const KERNEL: &str = "kernel";

/// The view as this node has it.
#[derive(Clone, Debug)]
pub struct Follower {
    view: Arc<View>,
    /// Every subsystem, and up to which epoch it is done.
    subsystems: BTreeMap<String, Epoch>,
}

/// What a new view means for the subsystems of this node, in order of epochs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Installed {
    /// The view.
    pub view: Arc<View>,
    /// Who came or went since the view before.
    pub transitions: Vec<Transition>,
    /// Which subsystem is told something at this epoch, and what
    /// ([`Command::Tell`]).
    pub told: Option<(String, Vec<u8>)>,
    /// The view came whole: entries since the view before are missing, and with them what
    /// they told subsystems.
    pub whole: bool,
}

impl Follower {
    /// A node that knows `view`, or none yet. Its `subsystems` have taken in nothing.
    pub fn new(view: View, subsystems: impl IntoIterator<Item = String>) -> Self {
        let names = subsystems.into_iter().chain([KERNEL.to_owned()]);
        Self {
            view: Arc::new(view),
            subsystems: names.map(|name| (name, 0)).collect(),
        }
    }

    /// The view it goes by.
    #[must_use]
    pub fn view(&self) -> &Arc<View> {
        &self.view
    }

    /// Takes the next entry; nothing if it isn't the next one.
    pub fn update(&mut self, epoch: Epoch, command: &Command) -> Option<Installed> {
        if epoch != self.view.epoch + 1 {
            return None;
        }
        let mut view = View::clone(&self.view);
        view.apply(command).ok()?;
        let mut installed = self.install(view);
        if let Command::Tell { subsystem, body } = command {
            installed.told = Some((subsystem.clone(), body.clone()));
        }
        Some(installed)
    }

    /// Takes a whole view; nothing if it isn't newer.
    pub fn snapshot(&mut self, view: View) -> Option<Installed> {
        if view.epoch <= self.view.epoch {
            return None;
        }
        // Of one entry alone the view itself tells whether it told a subsystem anything: such
        // an entry changes nothing else.
        let before = View {
            epoch: view.epoch,
            ..View::clone(&self.view)
        };
        let whole = view.epoch != self.view.epoch + 1 || view == before;
        Some(Installed {
            whole,
            ..self.install(view)
        })
    }

    fn install(&mut self, view: View) -> Installed {
        let transitions = view.transitions(&self.view);
        self.view = Arc::new(view);
        Installed {
            view: self.view.clone(),
            transitions,
            told: None,
            whole: false,
        }
    }

    /// A subsystem has taken in everything up to an epoch.
    pub fn took(&mut self, subsystem: &str, epoch: Epoch) {
        if let Some(done) = self.subsystems.get_mut(subsystem) {
            *done = epoch.max(*done);
        }
    }

    /// The epoch that the kernel goes by.
    #[must_use]
    pub fn kernel(&self) -> Epoch {
        self.subsystems.get(KERNEL).copied().unwrap_or_default()
    }

    /// The epoch up to which every subsystem is done.
    #[must_use]
    pub fn done(&self) -> Epoch {
        self.subsystems.values().copied().min().unwrap_or_default()
    }

    /// Subsystems that are not done with the newest view.
    #[must_use]
    pub fn waiting(&self) -> Vec<String> {
        let behind = |done: &Epoch| *done < self.view.epoch;
        let waiting = self.subsystems.iter().filter(|(_, done)| behind(done));
        waiting.map(|(name, _)| name.clone()).collect()
    }
}
