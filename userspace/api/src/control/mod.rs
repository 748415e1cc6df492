//! The control protocol: one JSON object a line over a UNIX stream socket.
//!
//! ```text
//! → {"version":1,"id":7,"request":{"lvs":{"list":{}}}}
//! ← {"version":1,"id":7,"ok":{"services":{"services":[…],…}}}
//! ← {"version":1,"id":7,"error":{"kind":"refused","message":"…"}}
//! ```
//!
//! A connection carries any number of requests, answered in order; `id` is the client's
//! and comes back as it was sent. `{"request":"describe"}` lists the requests, so a
//! client needs no documentation but the daemon it talks to. Both sides ignore fields
//! they don't know; `version` changes when that no longer suffices.

mod client;
mod describe;
mod doctor;
mod frame;
mod reply;
mod request;
mod status;

use std::path::PathBuf;

pub use client::{Client, ClientError};
pub use describe::{Described, describe};
pub use doctor::{Feature, Support};
pub use frame::{Frame, FrameError, decode, encode, read_line};
pub use reply::{Failure, FailureKind, Outcome, Reply, Response};
pub use request::{Call, LvsRequest, Request};
pub use status::{Attached, Counted, CvipStatus, MemberStatus, NodeStatus, Status};

/// Version of the protocol.
pub const VERSION: u32 = 1;

/// Longest line, in bytes, either way: 32 MiB, a rule file of some 200,000 lines.
pub const MAX_LINE: usize = 32 << 20;

/// Where `ssid` listens unless its configuration says otherwise.
pub const DEFAULT_SOCKET: &str = "/run/ssi/ssid.sock";

/// Where clients look for it: where `SSI_SOCKET` says, else [`DEFAULT_SOCKET`].
#[must_use]
pub fn socket() -> PathBuf {
    let named = std::env::var_os("SSI_SOCKET").filter(|path| !path.is_empty());
    named.map_or_else(|| DEFAULT_SOCKET.into(), PathBuf::from)
}
