//! The door: where those speak who are no members. Newcomers enrol there with a token,
//! nodes that were put out knock there to be taken in again, and a witness is asked there.
//!
//! The cluster's port lets members in only, and the kernel sees to that. The door is
//! another port. It speaks TLS 1.3: whoever listens shows a certificate that the cluster's
//! authority issued, and whoever knocks does so too; only a newcomer has none, and brings a
//! token, which names the authority it must find behind the door.

mod authority;
mod caller;
mod serve;
mod tls;
mod token;
mod wire;

pub use authority::{Authority, BadAuthority, Papers};
pub use caller::{Caller, Heard, NoEntry, enrol};
pub use serve::{Door, House};
pub use token::{BadToken, Token};
pub use wire::{Enrolled, Newcomer};

/// Where doors are, next to the cluster's own port.
pub const PORT: u16 = ssi_abi::probe::PORT + 1;
