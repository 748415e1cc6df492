//! Engines of several nodes over byte pipes that delay, split and lose connections.

mod scenarios;
mod world;
