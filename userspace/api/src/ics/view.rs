use std::collections::BTreeMap;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::control::Counted;

/// Internode communication of this node (`ssi ics`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct IcsView {
    /// This node's number.
    pub node: u16,
    /// How connections are protected: `tls`, `mac` or `none`.
    pub security: String,
    /// The port that members speak at.
    pub port: u16,
    /// The other members, by number.
    pub peers: Vec<PeerView>,
    /// Connections of nobody known that were refused, by reason.
    pub refused: BTreeMap<String, u64>,
    /// What the fence in the kernel dropped and let through, by reason.
    pub fence: Vec<Counted>,
}

/// One other node.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PeerView {
    /// Its number.
    pub node: u16,
    /// Its name.
    pub name: String,
    /// Where it is.
    pub address: IpAddr,
    /// Which life of it is up; none: it is down.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incarnation: Option<u32>,
    /// Its lanes.
    pub lanes: Vec<LaneView>,
    /// Connections that did not come about or were given up, by reason.
    pub refused: BTreeMap<String, u64>,
}

/// One connection's worth of talk with one node. All counts are since this `ssid` started,
/// but for the kernel's, which are since the packet path was loaded.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LaneView {
    /// `priority-0` … `priority-3`, `reply`, `priority-reply`, `bulk`.
    pub lane: String,
    /// Whether there is a connection now.
    pub connected: bool,
    /// How often there was a new one.
    pub connections: u64,
    /// Frames and bytes sent.
    pub sent_frames: u64,
    /// Bytes of them.
    pub sent_bytes: u64,
    /// Frames received.
    pub received_frames: u64,
    /// Bytes of them.
    pub received_bytes: u64,
    /// Frames that wait to be written.
    pub queued_frames: u64,
    /// Bytes of them.
    pub queued_bytes: u64,
    /// Calls that may still go before the other end gives more credit; none: the lane needs
    /// none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credits: Option<u64>,
    /// Calls that had to wait, or were refused, for want of credit.
    pub throttled: u64,
    /// Round trips of calls, the handler's time included.
    pub round_trips: Quantiles,
    /// Packets from the other node that the kernel's fence let in.
    pub kernel_in_packets: u64,
    /// Bytes of them.
    pub kernel_in_bytes: u64,
    /// Packets to it.
    pub kernel_out_packets: u64,
    /// Bytes of them.
    pub kernel_out_bytes: u64,
}

/// Durations in microseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Quantiles {
    /// How many.
    pub count: u64,
    /// The shortest.
    pub min: f64,
    /// Half are shorter.
    pub p50: f64,
    /// 90 of 100 are shorter.
    pub p90: f64,
    /// 99 of 100 are shorter.
    pub p99: f64,
    /// The longest.
    pub max: f64,
}

/// How long a node took to answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ping {
    /// Which.
    pub node: u16,
    /// Probes that its kernel reflected; `lost` of them did not come back.
    pub reflected: Quantiles,
    /// How many probes did not come back.
    pub lost: u32,
    /// Calls, by lane.
    pub lanes: Vec<LanePing>,
}

/// How long calls over one lane took.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LanePing {
    /// Which.
    pub lane: String,
    /// Those that were answered.
    pub round_trips: Quantiles,
    /// Why one was not, if one was not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
}
