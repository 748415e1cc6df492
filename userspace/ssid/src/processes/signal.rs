//! Signals to processes of this node.

use serde::{Deserialize, Serialize};
use ssi_api::process::Signalled;
use ssi_vproc::signal::{self, Sender, Sent};

/// Signals to be sent here.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Order {
    /// Who wants that: whom the control socket of the node where it was said had at its
    /// other end. Nodes believe each other, so root of one is root of all.
    pub(crate) user: u32,
    /// The session of that program, if it runs on this node.
    pub(crate) session: Option<u32>,
    /// Which signal.
    pub(crate) signal: i32,
    /// Numbers (of groups, if below 0), and when they were forked, if that was said.
    pub(crate) targets: Vec<(i32, Option<u64>)>,
}

impl Order {
    /// Sends them; what became of each.
    pub(super) fn carry_out(&self) -> Vec<Signalled> {
        let targets = self.targets.iter();
        targets
            .map(|(pid, start)| self.send(*pid, *start))
            .collect()
    }

    fn send(&self, pid: i32, start: Option<u64>) -> Signalled {
        let (signal, user) = (self.signal, self.user);
        let by = Sender {
            user,
            session: self.session,
        };
        let number = pid.unsigned_abs();
        let sent = if pid < 0 {
            signal::group(number, signal, by)
        } else {
            signal::process(number, start, signal, by)
        };
        if signal != 0 {
            tracing::info!("user {user}: signal {signal} to {pid}: {sent:?}");
        }
        match sent {
            Ok(Sent::Done) => Signalled::Sent,
            Ok(Sent::NoProcess) => Signalled::NoProcess,
            Ok(Sent::NotPermitted) => Signalled::NotPermitted,
            Err(error) => Signalled::Failed(error.to_string()),
        }
    }
}
