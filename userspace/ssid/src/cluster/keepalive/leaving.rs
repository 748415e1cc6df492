//! A node that is drained because it is about to leave may run things again once it is back.

use std::sync::Weak;
use std::time::Duration;

use ssi_api::control::Failure;
use ssi_clms::core::{Number, State};
use ssi_keepalive::Node;
use ssi_keepalive::agreed::Entry;

use crate::cluster::Member;
use crate::cluster::join::{internal, refused};

/// How long to wait before what was not written is tried again.
const AGAIN: Duration = Duration::from_millis(500);

impl Member {
    /// Notes that this node is drained by its leaving; not if somebody has drained it already.
    pub(super) async fn drain_until_back(&self, number: u16) -> Result<(), Failure> {
        let own = self.kept().number;
        if number != own {
            return Err(refused(format!(
                "node {number} does not leave by being drained here; `ssi leave` there does both"
            )));
        }
        let node = Node::new(own).ok_or_else(|| refused("0 is no node number"))?;
        let desk = &self.supervision.desk;
        let drained = desk.with(move |desk| desk.agreed.drained.contains(&node));
        if drained.await.map_err(|e| internal(&e))? {
            return Ok(());
        }
        self.note_drained(true)
    }

    /// Whatever is said of this node now, it is not because it leaves.
    pub(super) fn drain_for_good(&self, number: u16) -> Result<(), Failure> {
        let kept = self.kept();
        if kept.drained && kept.number == number {
            self.note_drained(false)?;
        }
        Ok(())
    }

    fn note_drained(&self, drained: bool) -> Result<(), Failure> {
        let directory = self.supervision.world.config().state.directory;
        let kept = self.change_kept(|kept| kept.drained = drained);
        kept.save(&directory).map_err(|e| internal(&e))
    }
}

/// Lets this node run things again, once it is UP, if it was drained by its leaving.
pub(super) async fn come_back(member: Weak<Member>) {
    loop {
        let Some(here) = member.upgrade() else { return };
        let kept = here.kept();
        if !kept.drained {
            return;
        }
        let is_up = {
            let views = here.handle.views();
            let view = views.borrow();
            let own = Number::new(kept.number).and_then(|own| view.members.get(&own));
            own.is_some_and(|own| own.state == State::Up)
        };
        if is_up && let Some(node) = Node::new(kept.number) {
            let drained = false;
            let entry = Entry::Drain { node, drained };
            let done = match here.supervision.agree(&entry).await {
                Ok(()) => here.note_drained(false),
                Err(failure) => Err(failure),
            };
            match done {
                Ok(()) => return,
                Err(failure) => tracing::debug!("this node is drained still: {failure}"),
            }
        }
        drop(here);
        tokio::time::sleep(AGAIN).await;
    }
}
