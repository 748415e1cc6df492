//! How others speak to a running node.

use std::io;
use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::{mpsc, oneshot, watch};

use super::input::{Input, NotProposed};
use super::seating::Chair;
use crate::core::command::{Command, Refused};
use crate::core::{Epoch, NodeId, View};

/// A running node, for whoever brings it something. Clones are the same.
#[derive(Clone, Debug)]
pub struct Handle {
    pub(super) inputs: mpsc::Sender<Input>,
    pub(super) views: watch::Receiver<Arc<View>>,
    pub(super) chair: Chair,
}

impl Handle {
    /// A message came. `from`: the member whose connection it came by; none: the way that
    /// newcomers use.
    ///
    /// # Errors
    /// It makes no sense, or the node has stopped.
    pub async fn message(&self, from: Option<NodeId>, message: &[u8]) -> io::Result<()> {
        let message = postcard::from_bytes(message).map_err(io::Error::other)?;
        self.bring(Input::Message(from, Box::new(message))).await
    }

    /// Another voter's log asks this one's.
    ///
    /// # Errors
    /// This node has no seat, the question makes no sense, or the log has stopped.
    pub async fn log(&self, question: &[u8]) -> io::Result<Bytes> {
        self.chair.answer(question).await
    }

    /// A subsystem has taken in everything up to an epoch.
    ///
    /// # Errors
    /// The node has stopped.
    pub async fn took(&self, subsystem: &str, epoch: Epoch) -> io::Result<()> {
        self.bring(Input::Took(subsystem.to_owned(), epoch)).await
    }

    /// Everything has stopped, as [`Order::Fence`](super::Order::Fence) asked.
    ///
    /// # Errors
    /// The node has stopped.
    pub async fn stopped(&self) -> io::Result<()> {
        self.bring(Input::Stopped).await
    }

    /// Asks the cluster to let this node go.
    ///
    /// # Errors
    /// The node has stopped.
    pub async fn leave(&self) -> io::Result<()> {
        self.bring(Input::Leave).await
    }

    /// Has the master, which this node has to be, write an entry: one that tells a
    /// subsystem something, forgets a node, or puts nodes out (for which a probe key is
    /// drawn, whatever the entry says). What it made of the view, once it is committed:
    /// this node's own subsystems get that view as any other, before or after.
    ///
    /// # Errors
    /// This node doesn't write it; who is the master, if it knows. Or it was not written as
    /// far as this node knows, and may be committed all the same.
    pub async fn propose(&self, command: Command) -> Result<Result<Epoch, Refused>, NotProposed> {
        let (asks, says) = oneshot::channel();
        let input = Input::Propose(command, asks);
        self.bring(input).await.map_err(|_| NotProposed::Stopped)?;
        says.await.unwrap_or(Err(NotProposed::Stopped))
    }

    /// Goes on without the node that [`Status::waits`](super::Status::waits) names: an
    /// operator answers for its being off.
    ///
    /// # Errors
    /// This node waits for nobody, or has stopped.
    pub async fn take_over(&self) -> io::Result<Result<(), Refused>> {
        let (asks, says) = oneshot::channel();
        self.bring(Input::TakeOver(asks)).await?;
        says.await.map_err(io::Error::other)
    }

    /// What the fencing device made of [`Order::SwitchOff`](super::Order::SwitchOff): an
    /// `Ok` means that the node is surely off, and what it held is free at once.
    ///
    /// # Errors
    /// The node has stopped.
    pub async fn fenced(
        &self,
        request: u64,
        id: NodeId,
        said: Result<(), String>,
    ) -> io::Result<()> {
        self.bring(Input::Fenced(request, id, said)).await
    }

    /// A node looks dead: a connection to it was reset. It is probed at once.
    ///
    /// # Errors
    /// The node has stopped.
    pub async fn suspect(&self, id: NodeId) -> io::Result<()> {
        self.bring(Input::Suspect(id)).await
    }

    /// How it stands.
    ///
    /// # Errors
    /// The node has stopped.
    pub async fn status(&self) -> io::Result<super::Status> {
        let (asks, says) = oneshot::channel();
        self.bring(Input::Status(asks)).await?;
        says.await.map_err(io::Error::other)
    }

    /// Leaves the seat in the log, if this node has one: the file is free afterwards.
    pub async fn close(&self) {
        if let Some(seat) = self.chair.seat() {
            seat.leave().await;
        }
    }

    /// The view, and whenever there is another.
    #[must_use]
    pub fn views(&self) -> watch::Receiver<Arc<View>> {
        self.views.clone()
    }

    async fn bring(&self, input: Input) -> io::Result<()> {
        let sent = self.inputs.send(input).await;
        sent.map_err(|_| io::Error::other("membership has stopped"))
    }
}
