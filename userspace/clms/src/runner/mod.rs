//! Membership as it runs: the engine on a real clock, a real log, and whatever way to other
//! nodes it is given.

pub mod clock;
mod ground;
mod handle;
mod heartbeats;
mod input;
mod kernel;
mod linux;
mod messenger;
mod node;
mod probes;
mod seating;
mod wire;
mod witness;

pub use ground::{Ask, Beat, Ground, Heard, Reflection};
pub use handle::Handle;
use input::Input;
pub use input::{NotProposed, Status};
pub use kernel::Kernel;
pub use linux::Linux;
pub use messenger::Messenger;
pub use node::{Node, Order, Settings};
pub use probes::Probes;
pub use witness::Witness;
