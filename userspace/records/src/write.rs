//! Sealing records, where they are written from.

use bytes::{BufMut as _, BytesMut};
use ring::aead::Aad;

use crate::{ALERT, CONTENT, DATA, FAREWELL, HEADER, TAG, VERSION};
use crate::{Broken, Traffic};

/// This end's direction.
pub struct Sealer {
    traffic: Traffic,
}

impl Sealer {
    /// With this end's key.
    #[must_use]
    pub const fn new(traffic: Traffic) -> Self {
        Self { traffic }
    }

    /// Appends records with all that `pieces` have, in their order, to `out`.
    ///
    /// # Errors
    /// The key has sealed as much as it may.
    pub fn seal<P: AsRef<[u8]>>(
        &mut self,
        pieces: impl IntoIterator<Item = P>,
        out: &mut BytesMut,
    ) -> Result<(), Broken> {
        let pieces: Vec<P> = pieces.into_iter().collect();
        let mut pieces = pieces.iter().map(AsRef::as_ref);
        let mut left: usize = pieces.clone().map(<[u8]>::len).sum();
        out.reserve(left + left.div_ceil(CONTENT) * (HEADER + 1 + TAG));
        let mut piece: &[u8] = &[];
        while left > 0 {
            let length = left.min(CONTENT);
            left -= length;
            self.record(DATA, length, out, |out| {
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
            })?;
        }
        Ok(())
    }

    /// Appends the word after which nothing comes.
    ///
    /// # Errors
    /// The key has sealed as much as it may.
    pub fn close(&mut self, out: &mut BytesMut) -> Result<(), Broken> {
        self.record(ALERT, FAREWELL.len(), out, |out| out.put_slice(&FAREWELL))
    }

    /// Appends one of this type, whose content `put` appends.
    fn record(
        &mut self,
        kind: u8,
        length: usize,
        out: &mut BytesMut,
        put: impl FnOnce(&mut BytesMut),
    ) -> Result<(), Broken> {
        let [high, low] = ((length + 1 + TAG) as u16).to_be_bytes();
        let header = [DATA, VERSION[0], VERSION[1], high, low];
        out.put_slice(&header);
        let begin = out.len();
        put(out);
        out.put_u8(kind);
        let nonce = self.traffic.nonce()?;
        let key = &self.traffic.key;
        let tag = key.seal_in_place_separate_tag(nonce, Aad::from(header), &mut out[begin..]);
        out.put_slice(tag.map_err(|_| Broken::WornOut)?.as_ref());
        Ok(())
    }

    #[cfg(test)]
    pub(crate) fn wear_out(&mut self) {
        self.traffic.wear_out();
    }
}
