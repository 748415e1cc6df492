//! What membership needs of internode communication.

use std::net::IpAddr;
use std::time::Duration;

use bytes::Bytes;

use crate::core::{NodeId, View};
use crate::log::Voter;

/// A way to other nodes. Whoever gives it calls [`Handle`](super::Handle) with what comes
/// in.
pub trait Messenger: Clone + Send + Sync + 'static {
    /// Sends a message to a member, or loses it: whoever sends says again what matters.
    fn send(&self, to: NodeId, message: Bytes);

    /// Asks a voter's log, which answers by [`Handle::log`](super::Handle::log); nothing if
    /// no answer came in time.
    fn ask_log(
        &self,
        to: Voter,
        question: Bytes,
        within: Duration,
    ) -> impl Future<Output = Option<Bytes>> + Send;

    /// Sends a message to a machine that knows this node as no member, by the way that
    /// newcomers use.
    fn knock(&self, at: IpAddr, message: Bytes);

    /// The members are others now: talks to nobody else from now on.
    fn members(&self, view: &View, own: Option<NodeId>);
}
