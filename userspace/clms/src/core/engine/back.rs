//! A leader of the log that is no member: after all nodes were off, somebody has to be the
//! first.

use super::{Engine, Output};
use crate::core::Time;
use crate::core::command::Command;
use crate::core::pair::Waits;

impl Engine {
    /// As the leader of the log, begins a new life: nobody else can take this node in. Then
    /// it takes in the others.
    pub(super) fn come_back(&mut self, now: Time) {
        if self.id.is_some() || self.left || !self.leading || self.is_waiting(now) {
            return;
        }
        if let Some(Waits::ForPartners(_)) = self.waits(now) {
            return;
        }
        let view = self.view().clone();
        let mut known = view.members.values();
        let Some(former) = known.find(|known| known.candidate.key == self.candidate.key) else {
            // The log has not told this engine of all it has, or the node was forgotten.
            return;
        };
        self.propose(
            now,
            Command::Return {
                number: former.id.number,
                candidate: self.candidate.clone(),
                epoch: view.epoch,
            },
        );
    }

    /// Whether something it has proposed may still be written.
    pub(super) fn is_waiting(&self, now: Time) -> bool {
        let proposed = self.proposed.as_ref();
        proposed.is_some_and(|(_, since)| now.since(*since) < self.timing.report)
    }

    pub(super) fn propose(&mut self, now: Time, command: Command) {
        self.proposed = Some((command.clone(), now));
        self.out.push_back(Output::Propose(command));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::Timing;
    use crate::core::member::Why;
    use crate::core::message::Message;
    use crate::core::testing::{engine, id, view_of};

    #[test]
    fn who_was_put_out_asks_to_come_back_and_who_left_does_not() {
        for (why, asks) in [(Why::Unreachable, true), (Why::Left, false)] {
            let (view, now) = (view_of(3), Time(1_000_000_000));
            let own = id(2);
            let epoch = view.epoch + 1;
            let mut engine = engine(now, own, view);
            let remove = Command::Remove {
                nodes: vec![(own, why)],
                probe_key: [1, 2],
            };
            engine.committed(now, epoch, &remove);
            assert_eq!(engine.id(), None);
            engine.tick(now + Timing::default().lease, Time(0));
            let did: Vec<Output> = std::iter::from_fn(|| engine.poll()).collect();
            let knocked = |output: &Output| matches!(output, Output::Contact(Message::Join(_)));
            assert_eq!(did.iter().any(knocked), asks, "{why:?}: {did:?}");
            assert_eq!(did.contains(&Output::Rejoin), asks, "{why:?}: {did:?}");
        }
    }
}
