//! TLS records, once the handshake is over.
//!
//! rustls makes the keys; sealing and opening records with them is done here, because where
//! the bytes lie is known here: records are opened in the buffer that they were read into,
//! one behind the other, so that a large body lies there in one piece and is not copied, and
//! as much is read at a time as there is; and frames are sealed into what is written. The two
//! directions have nothing in common, and no connection of rustls is kept for them.
//!
//! On the wire it is TLS 1.3 (RFC 8446, section 5) as ever, with one liberty: a connection
//! whose keys have sealed as many records as they may is given up and dialled anew, which
//! loses nothing, instead of being given new keys. So nobody sends a key update, and one that
//! comes is refused.

mod open;
mod stream;
mod traffic;
mod whole;
mod write;

#[cfg(test)]
mod tests;

pub(super) use open::Opener;
pub(super) use stream::Sealed;
pub(super) use whole::Whole;
pub(super) use write::Sealer;

/// Bytes before a record's content: its type, a version that is always the same, its length.
const HEADER: usize = 5;
/// The type of every record that is sealed (RFC 8446, section 5.2), and of data inside.
const DATA: u8 = 23;
/// The type of an alert, inside.
const ALERT: u8 = 21;
/// The version that every record says, TLS 1.2.
const VERSION: [u8; 2] = [3, 3];
/// Most bytes in a record before it is sealed (RFC 8446, section 5.1).
const CONTENT: usize = 1 << 14;
/// Most bytes that sealing may add: type, tag and padding (RFC 8446, section 5.2).
const EXPANSION: usize = 256;
/// Bytes of a tag, with all ciphers.
const TAG: usize = 16;

/// How long the record is that begins here, header included, if that much has come.
fn length(bytes: &[u8]) -> Option<usize> {
    let [_, _, _, high, low] = bytes.first_chunk::<HEADER>()?;
    Some(HEADER + usize::from(u16::from_be_bytes([*high, *low])))
}
