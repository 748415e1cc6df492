//! Two nodes at the same epoch have the same view.

use std::collections::BTreeMap;
use std::sync::Arc;

use ssi_clms::core::{Epoch, View};

/// The views that anybody has had.
#[derive(Debug, Default)]
pub(crate) struct Agreement {
    views: BTreeMap<Epoch, Arc<View>>,
}

impl Agreement {
    pub(crate) fn installed(&mut self, view: &Arc<View>) -> Option<String> {
        let known = self.views.entry(view.epoch).or_insert_with(|| view.clone());
        (known != view)
            .then(|| format!("two views at epoch {}: {known:?} and {view:?}", view.epoch))
    }
}
