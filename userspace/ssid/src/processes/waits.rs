//! How long tasks wait for processors: measured as long as that is wanted.

use ssi_api::process::WaitsView;
use ssi_vproc::{Error, Tracker};

/// Whether it is measured.
#[derive(Debug, Default)]
pub(super) struct Waits {
    on: bool,
    /// Whether it was begun: an order that failed is not given again each second.
    ordered: bool,
}

impl Waits {
    /// Begins or ends, if that is not so already.
    pub(super) fn want(&mut self, wanted: bool, tracker: &mut Tracker) {
        if std::mem::replace(&mut self.ordered, wanted) == wanted {
            return;
        }
        match tracker.measure_waits(wanted) {
            Ok(()) => self.on = wanted,
            Err(why) => tracing::warn!("how long tasks wait is not measured: {why}"),
        }
    }

    /// What was measured; none: it isn't.
    pub(super) fn read(&self, tracker: &Tracker) -> Result<Option<WaitsView>, Error> {
        if !self.on {
            return Ok(None);
        }
        let nanos = |wait: std::time::Duration| u64::try_from(wait.as_nanos()).unwrap_or(u64::MAX);
        let waits = tracker.waits()?.into_iter();
        Ok(Some(WaitsView {
            buckets: waits.map(|(wait, turns)| (nanos(wait), turns)).collect(),
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_nothing_is_traced_nothing_is_measured() {
        let mut tracker = Tracker::by_procfs();
        let mut waits = Waits::default();
        for wanted in [false, true, true, false] {
            waits.want(wanted, &mut tracker);
            assert_eq!(waits.ordered, wanted);
            assert_eq!(waits.read(&tracker).expect("nothing is read"), None);
        }
    }
}
