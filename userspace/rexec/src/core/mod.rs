//! What is said between a surrogate, its session and the daemons: plain structures. Bytes and
//! events go in, bytes and actions come out.

mod caller;
mod frame;
mod link;
mod message;
mod outcome;
mod pending;
mod session;
mod spec;
mod stream;
mod surrogate;
mod window;

pub use caller::{Caller, Capabilities, Limit};
pub use frame::{Frame, Malformed};
pub use message::{
    Answer, Ask, Given, Grant, Id, Life, Nodes, Order, Packed, Place, Protection, Seat, Secrets,
    Whom,
};
pub use outcome::{Exit, FAILED, LOST, NOT_EXECUTABLE, NOT_FOUND, NotRun};
pub use pending::{Pending, Turned};
pub use session::{Session, SessionAction};
pub use spec::{Size, Spec, Terminal};
pub use stream::Stream;
pub use surrogate::{Surrogate, SurrogateAction};
pub use window::{CHUNK, WINDOW};
