//! TLS records, once the handshake is over.
//!
//! rustls makes the keys, and no connection of it is kept: records are sealed and opened here
//! with them ([`ssi_records`]). A connection whose keys have sealed as many records as they may
//! is given up and dialled anew, which loses nothing, instead of being given new keys.

mod keys;
mod stream;
mod whole;

#[cfg(test)]
mod tests;

pub(super) use ssi_records::{Opener, Sealer};
pub(super) use stream::Sealed;
pub(super) use whole::Whole;
