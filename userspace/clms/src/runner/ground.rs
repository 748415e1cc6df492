//! What membership needs of this machine.

use std::io;

use crate::core::{NodeId, Time, View};
use crate::log::Heartbeat;

/// A probe that came back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reflection {
    /// Whose kernel sent it back.
    pub from: NodeId,
    /// The probe's number.
    pub nonce: u64,
    /// That kernel's clock.
    pub clock: u64,
    /// Whether that node holds a lease.
    pub holds: bool,
    /// It was that node's `ssid` that answered: the clock and the lease say nothing.
    pub supervisor: bool,
}

/// What has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heard {
    /// A probe came back.
    Reflection(Reflection),
    /// Another voter's log says that it leads.
    Heartbeat {
        /// Whose.
        from: NodeId,
        /// Its number, which the answer has too.
        nonce: u64,
        /// What it says.
        heartbeat: Heartbeat,
    },
    /// Another voter's log agrees with a heartbeat.
    Agreed {
        /// Whose.
        from: NodeId,
        /// The heartbeat's number.
        nonce: u64,
    },
}

/// A heartbeat to send, or the answer to one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Beat {
    /// To whom.
    pub to: NodeId,
    /// The heartbeat's number.
    pub nonce: u64,
    /// What it says.
    pub heartbeat: Heartbeat,
    /// Whether it is the answer.
    pub reply: bool,
}

/// A probe to send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ask {
    /// To whom.
    pub to: NodeId,
    /// The probe's number.
    pub nonce: u64,
    /// From which reading of the other's clock a lease runs that the probe renews.
    pub grant: Option<u64>,
    /// Whether `ssid` is to answer, not the kernel.
    pub supervisor: bool,
    /// Whether it goes under the key before, if there was one.
    pub old_key: bool,
}

/// The machine: its clock, what its kernel knows of the cluster, its way to probe others.
pub trait Ground: Send + 'static {
    /// The clock.
    fn now(&self) -> Time;

    /// Lets in the members of a view and nobody else, as this life of this node.
    ///
    /// # Errors
    /// The kernel refuses.
    fn install(&mut self, view: &View, own: Option<NodeId>) -> io::Result<()>;

    /// Until when the kernel holds this node's lease.
    fn lease(&self) -> Time;

    /// There is a lease until then: the kernel goes by it from now on.
    fn hold(&mut self, until: Time);

    /// The lease ends then, though it was to last longer: the kernel goes by that when this
    /// returns.
    fn lower(&mut self, until: Time);

    /// This node has stopped everything: its kernel need not see to that any more, and may
    /// let it ask for a lease.
    fn let_go(&mut self);

    /// Sends a probe; if it can't, that is as if the probe was lost.
    fn probe(&mut self, view: &View, own: NodeId, probe: Ask);

    /// Sends a heartbeat, or the answer to one; it may be lost.
    fn beat(&mut self, view: &View, own: NodeId, beat: Beat);

    /// Waits until something has come back.
    fn heard(&mut self) -> impl Future<Output = ()> + Send;

    /// What has come, one after the other. Probes of this node's `ssid` that have come are
    /// answered on the way.
    fn next(&mut self, view: &View) -> Option<Heard>;
}
