//! What the engine counts.

use serde::{Deserialize, Serialize};

/// One lane to one node.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LaneStats {
    /// Whether there is a connection.
    pub connected: bool,
    /// How many there have been.
    pub connections: u64,
    /// Frames written, including those written again.
    pub sent_frames: u64,
    /// Bytes of those.
    pub sent_bytes: u64,
    /// Frames received.
    pub received_frames: u64,
    /// Bytes of those.
    pub received_bytes: u64,
    /// Frames that are kept until they are acknowledged.
    pub kept_frames: u64,
    /// Bytes of those.
    pub kept_bytes: u64,
    /// Frames of those that wait to be written: no connection has them yet.
    pub queued_frames: u64,
    /// Bytes of those.
    pub queued_bytes: u64,
    /// Calls that wait for credit.
    pub waiting: u64,
    /// Credits in use, over all services.
    pub credits_used: u64,
    /// Credits left to the service that has the fewest, of those that were called; none: no
    /// calls go by this lane, or the other end has not said yet how many it grants.
    pub credits_left: Option<u64>,
    /// Calls that were refused because too many waited; whoever waits for room tries again.
    pub throttled: u64,
}

/// What this node asks one service of another for, on one lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceStats {
    /// The service's number.
    pub service: super::Service,
    /// The lane's number.
    pub lane: u8,
    /// Credits in use.
    pub used: u64,
    /// Calls that wait for credit.
    pub waiting: u64,
    /// Bytes of those.
    pub waiting_bytes: u64,
    /// Calls that were refused because too many waited.
    pub throttled: u64,
}

/// One other node.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PeerStats {
    /// The lanes, by number.
    pub lanes: [LaneStats; super::Lane::COUNT],
    /// Calls that this node made and that are not complete.
    pub pending: u64,
    /// Calls of the other that are being handled.
    pub serving: u64,
    /// Credits that it grants per lane and service; 0 before it has said so.
    pub window: u16,
    /// How often its daemon was restarted within a life.
    pub restarts: u64,
    /// Calls refused because too many waited.
    pub throttled: u64,
    /// Frames dropped because their connection is of an earlier life, or was replaced.
    pub stale: u64,
    /// Replies and chunks that nobody waits for any more: the call was cancelled, or its
    /// deadline came first.
    pub late: u64,
    /// Frames that broke the protocol.
    pub broken: u64,
}
