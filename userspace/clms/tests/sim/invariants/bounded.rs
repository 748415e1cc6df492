//! A fault changes the view a few times, not again and again.

use ssi_clms::core::{Epoch, View};

/// How far the view may go.
#[derive(Debug, Default)]
pub(crate) struct Bounded {
    /// The newest epoch that anybody has had.
    pub(crate) newest: Epoch,
    /// The newest that may be.
    pub(crate) limit: Option<Epoch>,
}

impl Bounded {
    pub(crate) fn installed(&mut self, view: &View) -> Option<String> {
        self.newest = self.newest.max(view.epoch);
        let limit = self.limit?;
        (self.newest > limit).then(|| format!("the view has gone to {} and on", self.newest))
    }
}
