//! Engines of several nodes over byte pipes that delay, split and lose connections.

mod handlers;
mod hostile;
mod restart;
mod scenarios;
mod world;
