//! Connections: one per other node and lane. The node with the lower number dials, from a
//! port whose low three bits are the lane's number, so that the kernel can tell lanes apart.

mod calm;
mod dial;
mod greet;
mod greeting;
mod listen;
mod protect;
mod read;
mod refusal;
mod run;
mod socket;

pub(super) use dial::dial;
pub(super) use listen::listen;
pub use refusal::Refusal;
pub(super) use refusal::Refusals;
pub use socket::listeners;
