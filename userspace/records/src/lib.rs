//! TLS records (RFC 8446, section 5), for whoever has the keys.
//!
//! Where keys come from is somebody else's: of a handshake of rustls, between daemons, or of an
//! agreement that daemons have passed on, between a surrogate and its session. Sealing and
//! opening is done here, because where the bytes lie is known here: records are opened in the
//! buffer that they were read into, one behind the other, so that a large body lies there in
//! one piece and is not copied, and frames are sealed into what is written. The two directions
//! have nothing in common.
//!
//! A key seals as many records as it may. One of a [`Secret`] is followed by the next then, at
//! both ends alike, as both count records; nobody has to say so. One of a handshake has done its
//! work: that connection is given up. So nobody sends a key update, and one that comes is refused.

mod open;
mod secret;
mod traffic;
mod write;

#[cfg(test)]
mod tests;

pub use open::Opener;
pub use secret::Secret;
pub use traffic::{Cipher, Traffic};
pub use write::Sealer;

use thiserror::Error;

/// Bytes before a record's content: its type, a version that is always the same, its length.
pub const HEADER: usize = 5;
/// The type of every record that is sealed (RFC 8446, section 5.2), and of data inside.
const DATA: u8 = 23;
/// The type of an alert, inside.
const ALERT: u8 = 21;
/// The alert after which nothing comes: a warning, `close_notify` (RFC 8446, section 6.1).
const FAREWELL: [u8; 2] = [1, 0];
/// The version that every record says, TLS 1.2.
const VERSION: [u8; 2] = [3, 3];
/// Most bytes in a record before it is sealed (RFC 8446, section 5.1).
pub const CONTENT: usize = 1 << 14;
/// Most bytes that sealing may add: type, tag and padding (RFC 8446, section 5.2).
pub const EXPANSION: usize = 256;
/// Bytes of a tag, with all ciphers.
const TAG: usize = 16;

/// Why nothing more can be sealed or opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Broken {
    /// What came is no record.
    #[error("what came is no record: {0}")]
    Malformed(&'static str),
    /// Nobody who has the key has made it, or not in this place.
    #[error("a record that nobody with the key has made, or that comes again, or too early")]
    Forged,
    /// The other end gave up, with an alert of this number.
    #[error("the other end has given up: alert {0}")]
    Alert(u8),
    /// The key has sealed as many records as it may.
    #[error("the key has sealed as many records as it may")]
    WornOut,
    /// It is no key.
    #[error("a key or an IV of the wrong length")]
    NoKey,
}

/// How long the record is that begins here, header included, if that much has come.
#[must_use]
pub fn length(bytes: &[u8]) -> Option<usize> {
    let [_, _, _, high, low] = bytes.first_chunk::<HEADER>()?;
    Some(HEADER + usize::from(u16::from_be_bytes([*high, *low])))
}
