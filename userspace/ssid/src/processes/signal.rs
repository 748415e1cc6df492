//! Signals to processes of this node.

use std::io;

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
    /// Numbers (of groups, if below 0), and when they were forked, if that was said; of sessions,
    /// where that is asked for.
    pub(crate) targets: Vec<(i32, Option<u64>)>,
}

impl Order {
    /// Sends them; what became of each.
    pub(super) fn carry_out(&self) -> Vec<Signalled> {
        let targets = self.targets.iter();
        targets
            .map(|(pid, start)| {
                let number = pid.unsigned_abs();
                let sent = if *pid < 0 {
                    signal::group(number, self.signal, self.by())
                } else {
                    signal::process(number, *start, self.signal, self.by())
                };
                self.became(&pid.to_string(), sent)
            })
            .collect()
    }

    /// The same to sessions.
    pub(super) fn carry_out_on_sessions(&self) -> Vec<Signalled> {
        let targets = self.targets.iter();
        targets
            .map(|(sid, _)| {
                let sent = signal::session(sid.unsigned_abs(), self.signal, self.by());
                self.became(&format!("session {sid}"), sent)
            })
            .collect()
    }

    const fn by(&self) -> Sender {
        Sender {
            user: self.user,
            session: self.session,
        }
    }

    fn became(&self, whom: &str, sent: io::Result<Sent>) -> Signalled {
        let (signal, user) = (self.signal, self.user);
        if signal != 0 {
            tracing::info!("user {user}: signal {signal} to {whom}: {sent:?}");
        }
        match sent {
            Ok(Sent::Done) => Signalled::Sent,
            Ok(Sent::NoProcess) => Signalled::NoProcess,
            Ok(Sent::NotPermitted) => Signalled::NotPermitted,
            Err(error) => Signalled::Failed(error.to_string()),
        }
    }
}

/// Signals to be sent to all processes of sessions here.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct SessionOrder(pub(crate) Order);
