//! The control socket.

mod answer;
mod client;
mod socket;

pub(crate) use answer::Answers;
pub(crate) use socket::{bind, serve};
