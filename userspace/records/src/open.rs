//! Opening records, in place.

use bytes::BytesMut;
use ring::aead::Aad;

use crate::{ALERT, CONTENT, DATA, EXPANSION, FAREWELL, HEADER, TAG, VERSION};
use crate::{Broken, Traffic, length};

/// The other end's direction.
pub struct Opener {
    traffic: Traffic,
    closed: bool,
}

impl Opener {
    /// With the other end's key.
    #[must_use]
    pub const fn new(traffic: Traffic) -> Self {
        Self {
            traffic,
            closed: false,
        }
    }

    /// Opens all records that are complete. `buffer` has what was opened before, and then
    /// `sealed` bytes as they came; afterwards what was in these records follows what was
    /// there already, and the rest of the `sealed` bytes, the beginning of a record, comes
    /// right behind.
    ///
    /// # Errors
    /// It is no record, or has no data, or nobody with the key has made it. Nothing in the
    /// buffer can be trusted then.
    pub fn open(&mut self, buffer: &mut BytesMut, sealed: &mut usize) -> Result<(), Broken> {
        let mut end = buffer.len() - *sealed;
        let mut record = end;
        while !self.closed
            && let Some(length) = whole(&buffer[record..])?
        {
            let next = record + length;
            end += self.one(&mut buffer[end..next], record - end)?;
            record = next;
        }
        *sealed = buffer.len() - record;
        if record > end {
            buffer.copy_within(record.., end);
            buffer.truncate(end + *sealed);
        }
        Ok(())
    }

    /// Whether the other end has said that nothing comes after what has been opened.
    #[must_use]
    pub const fn is_closed(&self) -> bool {
        self.closed
    }

    #[cfg(test)]
    pub(crate) fn wear_out(&mut self) {
        self.traffic.wear_out();
    }

    /// Opens the record that begins at `record`, to the beginning of `bytes`; how many bytes
    /// of data it has.
    fn one(&mut self, bytes: &mut [u8], record: usize) -> Result<usize, Broken> {
        let mut header = [0; HEADER];
        header.copy_from_slice(&bytes[record..record + HEADER]);
        let nonce = self.traffic.nonce()?;
        let key = &self.traffic.key;
        let opened = key.open_within(nonce, Aad::from(header), bytes, record + HEADER..);
        let opened = opened.map_err(|_| Broken::Forged)?;
        // Padding is zeros, and the type stands before it.
        let content = opened.iter().rposition(|byte| *byte != 0);
        let content = content.ok_or(Broken::Malformed("it has no content"))?;
        match opened[content] {
            DATA if content > 0 => Ok(content),
            ALERT => {
                let [_, description] = opened[..content] else {
                    return Err(Broken::Malformed("an alert of another length"));
                };
                if description != FAREWELL[1] {
                    return Err(Broken::Alert(description));
                }
                self.closed = true;
                Ok(0)
            }
            _ => Err(Broken::Malformed("neither data nor an alert is in it")),
        }
    }
}

/// How long the record is that begins here, if all of it is there.
fn whole(bytes: &[u8]) -> Result<Option<usize>, Broken> {
    let Some(length) = length(bytes) else {
        return Ok(None);
    };
    if bytes[0] != DATA {
        return Err(Broken::Malformed("it is of another type"));
    }
    if bytes[1..3] != VERSION {
        return Err(Broken::Malformed("it is of another version"));
    }
    if length > HEADER + CONTENT + EXPANSION {
        return Err(Broken::Malformed("it is too long"));
    }
    if length <= HEADER + TAG {
        return Err(Broken::Malformed("it is too short"));
    }
    Ok((bytes.len() >= length).then_some(length))
}
