//! Everything of the connection scheduler that has to do with the world: maps, routes,
//! disk, time.

pub mod routes;
