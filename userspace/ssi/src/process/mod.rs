//! What all commands about processes have in common.

pub(crate) mod choice;
mod fetch;
mod missing;
mod send;
pub(crate) mod signals;
#[cfg(test)]
pub(crate) mod testing;
pub(crate) mod units;
pub(crate) mod user;

pub(crate) use fetch::{fetch, forwarded, loads, waits};
pub(crate) use missing::tell;
pub(crate) use send::{nobody, send, why};
