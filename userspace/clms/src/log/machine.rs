//! What committed entries make of the view.

use std::{fmt, io};

use futures::{Stream, StreamExt as _};
use openraft::alias::{LogIdOf, SnapshotMetaOf, SnapshotOf, StoredMembershipOf};
use openraft::storage::{EntryResponder, RaftStateMachine};
use openraft::{EntryPayload, RaftSnapshotBuilder};

use super::{Generation, ViewLog, WITNESS};
use crate::core::command::Command;
use crate::core::pair::generation;
use crate::core::{Epoch, Number, View};

/// Something committed, for the engine.
#[derive(Clone, Debug)]
pub enum Applied {
    /// The view went on to this epoch.
    Entry(Epoch, Box<Command>),
    /// The view is another one altogether: this node had missed much.
    Whole(Box<View>),
}

/// Who is told of what is committed, in order.
pub type News = Box<dyn Fn(Applied) + Send + Sync>;

/// The view as the log makes it. It is kept in memory; after a restart it is made anew
/// from the last snapshot and the entries since.
pub struct Machine {
    view: View,
    last: Option<LogIdOf<ViewLog>>,
    membership: StoredMembershipOf<ViewLog>,
    snapshots: super::Store,
    generation: Generation,
    news: News,
}

impl fmt::Debug for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Machine")
            .field("epoch", &self.view.epoch)
            .finish_non_exhaustive()
    }
}

impl Machine {
    /// A machine that keeps its snapshots in `snapshots` and tells `news` what it does.
    #[must_use]
    pub fn new(snapshots: super::Store, generation: Generation, news: News) -> Self {
        Self {
            generation,
            view: View::default(),
            last: None,
            membership: StoredMembershipOf::<ViewLog>::default(),
            snapshots,
            news,
        }
    }

    fn run(&mut self, command: Command) -> Result<Epoch, crate::core::command::Refused> {
        self.view.apply(&command)?;
        let epoch = self.view.epoch;
        if let Command::TakeOver { .. } = command {
            // It leaps: whoever has the view before can't apply it.
            self.generation.set(generation(epoch));
            (self.news)(Applied::Whole(Box::new(self.view.clone())));
        } else {
            (self.news)(Applied::Entry(epoch, Box::new(command)));
        }
        Ok(epoch)
    }
}

impl RaftStateMachine<ViewLog> for Machine {
    type SnapshotData = Vec<u8>;
    type SnapshotBuilder = Builder;

    async fn applied_state(
        &mut self,
    ) -> Result<(Option<LogIdOf<ViewLog>>, StoredMembershipOf<ViewLog>), io::Error> {
        Ok((self.last, self.membership.clone()))
    }

    async fn apply<S>(&mut self, mut entries: S) -> Result<(), io::Error>
    where
        S: Stream<Item = Result<EntryResponder<ViewLog>, io::Error>> + Unpin + Send,
    {
        while let Some(next) = entries.next().await {
            let (entry, responder) = next?;
            self.last = Some(entry.log_id);
            let said = match entry.payload {
                EntryPayload::Blank => Ok(self.view.epoch),
                EntryPayload::Normal(command) => self.run(command),
                EntryPayload::Membership(membership) => {
                    let witness = membership.voter_ids().any(|voter| voter == WITNESS);
                    let nodes = membership.voter_ids().filter(|voter| *voter != WITNESS);
                    let voters: Vec<Number> = nodes.filter_map(Number::new).collect();
                    let settled = membership.get_joint_config().len() == 1;
                    self.membership =
                        StoredMembershipOf::<ViewLog>::new(Some(entry.log_id), membership);
                    if settled {
                        // Refused only if there is no cluster yet or nothing changed.
                        let _ = self.run(Command::Voters { voters, witness });
                    }
                    Ok(self.view.epoch)
                }
            };
            if let Some(responder) = responder {
                responder.send(said);
            }
        }
        Ok(())
    }

    async fn get_snapshot_builder(&mut self) -> Builder {
        Builder {
            view: self.view.clone(),
            meta: SnapshotMetaOf::<ViewLog> {
                last_log_id: self.last,
                last_membership: self.membership.clone(),
            },
            store: self.snapshots.clone(),
        }
    }

    async fn install_snapshot(
        &mut self,
        meta: &SnapshotMetaOf<ViewLog>,
        snapshot: Vec<u8>,
    ) -> Result<(), io::Error> {
        let view: View = postcard::from_bytes(&snapshot).map_err(io::Error::other)?;
        self.snapshots.keep_snapshot(meta, &snapshot)?;
        self.last = meta.last_log_id;
        self.membership = meta.last_membership.clone();
        self.view = view.clone();
        self.generation.set(generation(view.epoch));
        (self.news)(Applied::Whole(Box::new(view)));
        Ok(())
    }

    async fn get_current_snapshot(
        &mut self,
    ) -> Result<Option<SnapshotOf<ViewLog, Vec<u8>>>, io::Error> {
        let kept = self.snapshots.snapshot()?;
        Ok(kept.map(|(meta, snapshot)| SnapshotOf::<ViewLog, Vec<u8>> { meta, snapshot }))
    }
}

/// A view about to become a snapshot.
#[derive(Debug)]
pub struct Builder {
    view: View,
    meta: SnapshotMetaOf<ViewLog>,
    store: super::Store,
}

impl RaftSnapshotBuilder<ViewLog> for Builder {
    type SnapshotData = Vec<u8>;

    async fn build_snapshot(&mut self) -> Result<SnapshotOf<ViewLog, Vec<u8>>, io::Error> {
        let snapshot = postcard::to_stdvec(&self.view).map_err(io::Error::other)?;
        self.store.keep_snapshot(&self.meta, &snapshot)?;
        Ok(SnapshotOf::<ViewLog, Vec<u8>> {
            meta: self.meta.clone(),
            snapshot,
        })
    }
}
