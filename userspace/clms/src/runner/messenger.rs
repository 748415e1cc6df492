//! What membership needs of internode communication.

use std::net::IpAddr;
use std::time::Duration;

use bytes::Bytes;

use crate::core::{NodeId, View};
use crate::log::Voter;
#[cfg(doc)]
use crate::log::WITNESS;

/// A way to other nodes. Whoever gives it calls [`Handle`](super::Handle) with what comes
/// in.
pub trait Messenger: Clone + Send + Sync + 'static {
    /// Sends a message to a member, or loses it: whoever sends says again what matters.
    fn send(&self, to: NodeId, message: Bytes);

    /// Asks a voter's log, which answers by [`Handle::log`](super::Handle::log); nothing if
    /// no answer came in time. After all nodes were off, none is a member, and voters must
    /// be able to speak all the same: by the way that newcomers use, as long as either's
    /// kernel may not let the other in. So is the witness always asked, [`WITNESS`]: the view
    /// says where it is.
    fn ask_log(
        &self,
        to: Voter,
        question: Bytes,
        within: Duration,
    ) -> impl Future<Output = Option<Bytes>> + Send;

    /// Sends a message to a machine that may not know this node as a member, by the way that
    /// newcomers use: only machines that the cluster's CA has certified are heard there.
    fn knock(&self, at: IpAddr, message: Bytes);

    /// The members are others now: talks to nobody else from now on.
    fn members(&self, view: &View, own: Option<NodeId>);
}
