//! What others bring to the node's task.

use std::collections::BTreeSet;
use std::sync::Arc;

use tokio::sync::oneshot;

use super::{Beat, Ground, Messenger, Node};
use crate::core::command::{Command, Refused};
use crate::core::engine::NotTaken;
use crate::core::message::Message;
use crate::core::pair::Waits;
use crate::core::{Epoch, NodeId, View};
use crate::log::NotWritten;

/// Something for the node's task.
#[derive(Debug)]
pub(super) enum Input {
    /// A message, from a member or from somebody else.
    Message(Option<NodeId>, Box<Message>),
    /// A subsystem has taken a view in.
    Took(String, Epoch),
    /// Everything has stopped that another node may do instead.
    Stopped,
    /// This node wants to leave the cluster.
    Leave,
    /// Somebody wants an entry written.
    Propose(Command, oneshot::Sender<Written>),
    /// A node looks dead to somebody.
    Suspect(NodeId),
    /// An operator says that the node that this one waits for is off.
    TakeOver(oneshot::Sender<Result<(), Refused>>),
    /// What the fencing device has done to a node.
    Fenced(u64, NodeId, Result<(), String>),
    /// The log was founded anew, or could not be.
    Founded(Result<(), String>),
    /// The log agrees with another voter's heartbeat.
    Agreed(Beat),
    /// Who can say how it stands.
    Status(oneshot::Sender<Status>),
}

/// What became of an entry that somebody wanted written.
pub(super) type Written = Result<Result<Epoch, Refused>, NotProposed>;

/// Why an entry was not written.
#[derive(Debug, thiserror::Error)]
pub enum NotProposed {
    /// This node doesn't take it.
    #[error(transparent)]
    NotTaken(#[from] NotTaken),
    /// It was not written, as far as this node knows: it may be committed all the same.
    #[error(transparent)]
    NotWritten(#[from] NotWritten),
    /// The node has stopped; as for the entry, the same.
    #[error("membership has stopped")]
    Stopped,
}

/// How a node stands.
#[derive(Clone, Debug)]
pub struct Status {
    /// The view: the master and the voters too.
    pub view: Arc<View>,
    /// Which life this is, if it is a member.
    pub id: Option<NodeId>,
    /// Whether it is the master now, which the voters have confirmed lately.
    pub master: bool,
    /// Whether it has stopped everything for want of a lease.
    pub fenced: bool,
    /// On the master: who has not taken in the last change, and which of its subsystems.
    pub waiting: Vec<(NodeId, Vec<String>)>,
    /// Whose `ssid` does not answer, though the node lives: on the master all, elsewhere
    /// those that this node observes.
    pub stalled: BTreeSet<NodeId>,
    /// What keeps a pair without a tie-breaker from going on.
    pub waits: Option<Waits>,
}

impl<G: Ground, M: Messenger> Node<G, M> {
    pub(super) fn input(&mut self, input: Input) {
        let now = self.ground.now();
        match input {
            Input::Message(from, message) => self.engine.message(now, from, *message),
            Input::Took(subsystem, epoch) => self.engine.took(now, &subsystem, epoch),
            Input::Stopped => {
                if self.engine.is_fenced() {
                    self.ground.let_go();
                }
            }
            Input::Leave => self.engine.leave(now),
            Input::Propose(command, asks) => self.write(command, asks),
            Input::Suspect(id) => self.engine.suspect(now, id),
            Input::TakeOver(asks) => {
                // Who asked may have gone.
                let _ = asks.send(self.engine.take_over(now));
            }
            Input::Fenced(request, id, said) => {
                if let Err(why) = &said {
                    tracing::warn!("node {id} could not be fenced: {why}");
                }
                self.engine.switched_off(now, request, id, said.is_ok());
            }
            Input::Founded(Ok(())) => {}
            Input::Founded(Err(why)) => {
                tracing::warn!("the view log could not be founded anew: {why}");
                self.engine.not_founded();
            }
            Input::Agreed(beat) => self.agree(beat),
            Input::Status(asks) => {
                // Who asked may have gone.
                let _ = asks.send(self.status());
            }
        }
    }

    fn status(&self) -> Status {
        let duty = self.engine.duty();
        let view = self.engine.view().clone();
        Status {
            id: self.engine.id(),
            master: self.engine.is_master(self.ground.now()),
            fenced: self.engine.is_fenced(),
            stalled: self.engine.stalled(),
            waits: self.engine.waits(self.ground.now()),
            waiting: duty.map(|duty| duty.waiting(&view)).unwrap_or_default(),
            view,
        }
    }

    /// Writes an entry for somebody, if it is this node's to write.
    fn write(&mut self, command: Command, asks: oneshot::Sender<Written>) {
        let taken = self.engine.entry(self.ground.now(), command);
        let (command, seat) = match (taken, self.seating.seat()) {
            (Ok(command), Some(seat)) => (command, seat),
            (Ok(_), None) => return drop(asks.send(Err(NotTaken::NoMaster.into()))),
            (Err(why), _) => return drop(asks.send(Err(why.into()))),
        };
        tracing::debug!("writes for a caller: {command}");
        tokio::spawn(async move {
            let said = seat.propose(command).await.map_err(NotProposed::from);
            // Who asked may have gone.
            let _ = asks.send(said);
        });
    }
}
