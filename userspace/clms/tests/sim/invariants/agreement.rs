//! Two nodes at the same epoch have the same view, and their subsystems were told the same.

use std::collections::BTreeMap;
use std::sync::Arc;

use ssi_clms::core::follower::Installed;
use ssi_clms::core::{Epoch, View};

/// The views that anybody has had.
#[derive(Debug, Default)]
pub(crate) struct Agreement {
    views: BTreeMap<Epoch, Arc<View>>,
    told: BTreeMap<Epoch, Option<(String, Vec<u8>)>>,
}

impl Agreement {
    pub(crate) fn installed(&mut self, installed: &Installed) -> Option<String> {
        let view = &installed.view;
        let known = self.views.entry(view.epoch).or_insert_with(|| view.clone());
        if known != view {
            return Some(format!(
                "two views at epoch {}: {known:?} and {view:?}",
                view.epoch
            ));
        }
        if installed.whole {
            return None;
        }
        let told = self
            .told
            .entry(view.epoch)
            .or_insert(installed.told.clone());
        (*told != installed.told).then(|| format!("two things were told at epoch {}", view.epoch))
    }

    /// How many epochs told somebody something.
    pub(crate) fn told(&self) -> usize {
        self.told.values().flatten().count()
    }
}
