//! The words that `ssid` and its clients exchange over the control socket.

pub mod control;
pub mod lvs;
