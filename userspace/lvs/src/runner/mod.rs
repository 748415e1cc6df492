//! Everything of the connection scheduler that has to do with the world: maps, routes,
//! disk, time.
//!
//! [`Lvs`] does what it is told when it is told, and never waits; who owns it calls it
//! when the time or an event has come, and runs [`routes::follow`] beside it.

mod agreed;
mod connections;
mod dump;
mod error;
mod fragments;
mod install;
mod local;
mod lvs;
mod meters;
mod reach;
pub mod routes;
mod store;
mod surroundings;

pub use error::LvsError;
pub use fragments::Held;
pub use install::install;
pub use lvs::{Lvs, Setup};
pub use store::StoreError;
pub use surroundings::Cluster;
