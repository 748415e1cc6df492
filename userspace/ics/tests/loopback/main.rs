//! Several nodes in one process, each on a loopback address of its own.

mod bulk;
mod calls;
mod life;
mod net;
mod refused;
mod restart;
