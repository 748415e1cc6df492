//! A fault changes the view a few times, not again and again.

use std::collections::BTreeSet;

use ssi_clms::core::follower::Installed;
use ssi_clms::core::{Epoch, State};

/// How far the view may go.
#[derive(Debug, Default)]
pub(crate) struct Bounded {
    /// The newest epoch that anybody has had.
    pub(crate) newest: Epoch,
    /// The newest that may be.
    pub(crate) limit: Option<Epoch>,
    /// Numbers of members that anybody has seen.
    pub(crate) sizes: BTreeSet<usize>,
    /// Epochs that put nodes out.
    pub(crate) removals: BTreeSet<Epoch>,
}

impl Bounded {
    pub(crate) fn installed(&mut self, installed: &Installed) -> Option<String> {
        let view = &installed.view;
        if view.epoch > self.newest {
            self.newest = view.epoch;
            self.sizes.insert(view.present().count());
            let gone = |member: &&ssi_clms::core::member::Member| {
                member.state == State::KCleanup && member.since == view.epoch
            };
            if view.leaving().any(|member| gone(&member)) {
                self.removals.insert(view.epoch);
            }
        }
        let limit = self.limit?;
        (self.newest > limit).then(|| format!("the view has gone to {} and on", self.newest))
    }
}
