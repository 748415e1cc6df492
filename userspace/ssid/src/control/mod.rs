//! The control socket.

mod answer;
mod asker;
mod client;
mod socket;

pub(crate) use answer::Answers;
pub(crate) use asker::Asker;
pub(crate) use socket::{bind, serve};
