//! No healthy node is put out.

use std::collections::BTreeSet;

use ssi_clms::core::State;
use ssi_clms::core::follower::Installed;
use ssi_clms::core::member::Why;

use crate::world::host_of;

/// Which hosts may be put out, because something is wrong with them.
#[derive(Debug, Default)]
pub(crate) struct Healthy {
    pub(crate) faulty: BTreeSet<usize>,
}

impl Healthy {
    pub(crate) fn installed(&self, installed: &Installed) -> Option<String> {
        let gone = installed
            .transitions
            .iter()
            .filter(|t| t.to == State::KCleanup);
        let mut wrong = gone.filter(|t| {
            let member = installed.view.members.get(&t.node.number);
            let why = member.and_then(|member| member.why);
            !self.faulty.contains(&host_of(t.node))
                && matches!(why, Some(Why::Unreachable | Why::LeaseLost))
        });
        wrong
            .next()
            .map(|t| format!("node {} was put out and was healthy", t.node))
    }
}
