//! The keys of one connection, between two processes that have never met and will not meet
//! again: each is handed the same two secrets by its daemon, one for each direction, of which
//! come the keys of TLS 1.3's records. So neither has to prove who it is, and there is no
//! handshake.

use std::io;

use ssi_records::{Cipher, Opener, Sealer, Secret, Traffic};

use crate::core::Secrets;

/// Which end of the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    Surrogate,
    Session,
}

/// What one end seals and opens with.
pub(super) fn both_ways(end: End, secrets: &Secrets) -> io::Result<(Sealer, Opener)> {
    let traffic = |secret: [u8; 32]| {
        let traffic = Traffic::of(Cipher::Aes128Gcm, Secret::new(secret));
        traffic.map_err(io::Error::other)
    };
    let (out, back) = match end {
        End::Surrogate => (secrets.to_session, secrets.to_surrogate),
        End::Session => (secrets.to_surrogate, secrets.to_session),
    };
    Ok((Sealer::new(traffic(out)?), Opener::new(traffic(back)?)))
}
