//! Which node runs what, whatever happens to nodes: never two owners, nothing moves that
//! needn't, and in the end everything is where it is wanted.

mod any;
mod drain;
mod given;
mod turns;
mod world;
