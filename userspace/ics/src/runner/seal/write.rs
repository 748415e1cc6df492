//! Sealing records, where they are written from.

use bytes::{BufMut as _, Bytes, BytesMut};
use ring::aead::Aad;
use rustls::{ConnectionTrafficSecrets, Error};

use super::traffic::Traffic;
use super::{CONTENT, DATA, HEADER, TAG, VERSION};

/// This end's direction.
pub(in crate::runner) struct Sealer {
    traffic: Traffic,
}

impl Sealer {
    pub(in crate::runner) fn new(secrets: (u64, ConnectionTrafficSecrets)) -> Result<Self, Error> {
        Ok(Self {
            traffic: Traffic::new(secrets)?,
        })
    }

    /// Appends records with all that `pieces` have, in their order, to `out`.
    ///
    /// # Errors
    /// The key has sealed as much as it may.
    pub(in crate::runner) fn seal(
        &mut self,
        pieces: impl IntoIterator<Item = Bytes>,
        out: &mut BytesMut,
    ) -> Result<(), Error> {
        let pieces: Vec<Bytes> = pieces
            .into_iter()
            .filter(|piece| !piece.is_empty())
            .collect();
        let mut left: usize = pieces.iter().map(Bytes::len).sum();
        out.reserve(left + left.div_ceil(CONTENT) * (HEADER + 1 + TAG));
        let mut pieces = pieces.iter().map(|piece| &piece[..]);
        let mut piece: &[u8] = &[];
        while left > 0 {
            let length = left.min(CONTENT);
            left -= length;
            let [high, low] = ((length + 1 + TAG) as u16).to_be_bytes();
            let header = [DATA, VERSION[0], VERSION[1], high, low];
            out.put_slice(&header);
            let begin = out.len();
            let mut missing = length;
            while missing > 0 {
                if piece.is_empty() {
                    piece = pieces.next().unwrap_or_default();
                }
                let (here, rest) = piece.split_at(piece.len().min(missing));
                out.put_slice(here);
                missing -= here.len();
                piece = rest;
            }
            out.put_u8(DATA);
            let worn = || Error::EncryptError;
            let nonce = self.traffic.nonce().ok_or_else(worn)?;
            let key = &self.traffic.key;
            let tag = key.seal_in_place_separate_tag(nonce, Aad::from(header), &mut out[begin..]);
            out.put_slice(tag.map_err(|_| worn())?.as_ref());
        }
        Ok(())
    }

    #[cfg(test)]
    pub(super) fn wear_out(&mut self) {
        self.traffic.wear_out();
    }
}
