//! Internode communication, as the control socket speaks of it.

mod request;
mod view;

pub use request::IcsRequest;
pub use view::{IcsView, LanePing, LaneView, PeerView, Ping, Quantiles};
