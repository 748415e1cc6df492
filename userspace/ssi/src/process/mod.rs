//! What all commands about processes have in common.

mod fetch;
mod missing;
pub(crate) mod units;
pub(crate) mod user;

pub(crate) use fetch::{fetch, numbers};
pub(crate) use missing::tell;
