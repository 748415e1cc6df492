//! The niceness of processes of this node.

use serde::{Deserialize, Serialize};
use ssi_api::process::Niced;
use ssi_vproc::priority::{self, Change, Changed};

/// What is to be changed here.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Renice {
    /// Who wants that; see [`Order`](super::Order).
    pub(crate) user: u32,
    /// What it shall be, or how much more.
    pub(crate) nice: i32,
    /// Which of the two.
    pub(crate) relative: bool,
    /// Numbers, and when they were forked, if that was said.
    pub(crate) targets: Vec<(i32, Option<u64>)>,
}

impl Renice {
    /// Changes them; what became of each.
    pub(super) fn carry_out(&self) -> Vec<Niced> {
        let targets = self.targets.iter();
        targets
            .map(|(pid, start)| self.change(*pid, *start))
            .collect()
    }

    fn change(&self, pid: i32, start: Option<u64>) -> Niced {
        let Ok(number) = u32::try_from(pid) else {
            return Niced::Failed(format!("{pid} is no process"));
        };
        let change = match self.relative {
            true => Change::By(self.nice),
            false => Change::To(self.nice),
        };
        let changed = priority::process(number, start, change, self.user);
        tracing::info!("user {}: niceness of {pid}: {changed:?}", self.user);
        match changed {
            Ok(Changed::Done { old, new }) => Niced::Done { old, new },
            Ok(Changed::NoProcess) => Niced::NoProcess,
            Ok(Changed::NotPermitted) => Niced::NotPermitted,
            Ok(Changed::NotLower) => Niced::NotLower,
            Err(error) => Niced::Failed(error.to_string()),
        }
    }
}
