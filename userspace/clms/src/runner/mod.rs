//! Membership as it runs: the engine on a real clock, a real log, and whatever way to other
//! nodes it is given.

mod ground;
mod handle;
mod messenger;
mod node;
mod wire;

pub use ground::{Ground, Reflection};
pub use handle::Handle;
pub use messenger::Messenger;
pub use node::{Node, Order, Settings, Status};
