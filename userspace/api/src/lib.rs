//! The words that `ssid` and its clients exchange over the control socket.

pub mod cluster;
pub mod control;
pub mod ics;
pub mod lvs;
pub mod names;
pub mod process;
pub mod service;
pub mod text;
