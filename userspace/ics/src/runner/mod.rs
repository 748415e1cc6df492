//! Internode communication over TCP: sockets, clocks and tasks around the engines.

mod bypass;
mod call;
mod config;
mod connect;
mod doze;
mod eager;
mod handler;
mod ics;
mod ping;
mod remote;
mod report;
mod seal;
mod stream;
mod tls;
mod waiters;
mod workers;
mod write;

pub use bypass::Bypass;
pub use call::{Calling, Reply};
pub use config::{Config, Fingerprint, PORT, PeerInfo, Security, StartError, View};
pub use connect::{Refusal, listeners};
pub use handler::{Cancelled, Register, Request, service_number};
pub use ics::Ics;
pub use report::{LaneState, RemoteReport, Report, RoundTrips, ServiceReport};
pub use stream::{Cut, SendFileError, StreamIn, StreamOut};
pub use tls::{BadIdentity, Identity};
pub use workers::{WORKERS, worker};
