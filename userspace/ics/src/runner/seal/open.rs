//! Opening records, in place.

use bytes::BytesMut;
use ring::aead::Aad;
use rustls::{AlertDescription, ConnectionTrafficSecrets, Error, InvalidMessage};

use super::traffic::Traffic;
use super::{ALERT, CONTENT, DATA, EXPANSION, HEADER, TAG, VERSION, length};

/// The other end's direction.
pub(in crate::runner) struct Opener {
    traffic: Traffic,
    closed: bool,
}

impl Opener {
    pub(in crate::runner) fn new(secrets: (u64, ConnectionTrafficSecrets)) -> Result<Self, Error> {
        Ok(Self {
            traffic: Traffic::new(secrets)?,
            closed: false,
        })
    }

    /// Opens all records that are complete. `buffer` has what was opened before, and then
    /// `sealed` bytes as they came; afterwards what was in these records follows what was
    /// there already, and the rest of the `sealed` bytes, the beginning of a record, comes
    /// right behind.
    ///
    /// # Errors
    /// It is no record, or has no data, or nobody with the key has made it. Nothing in the
    /// buffer can be trusted then.
    pub(in crate::runner) fn open(
        &mut self,
        buffer: &mut BytesMut,
        sealed: &mut usize,
    ) -> Result<(), Error> {
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
    pub(in crate::runner) fn is_closed(&self) -> bool {
        self.closed
    }

    /// Opens the record that begins at `record`, to the beginning of `bytes`; how many bytes
    /// of data it has.
    fn one(&mut self, bytes: &mut [u8], record: usize) -> Result<usize, Error> {
        let mut header = [0; HEADER];
        header.copy_from_slice(&bytes[record..record + HEADER]);
        let nonce = self.traffic.nonce().ok_or(Error::DecryptError)?;
        let key = &self.traffic.key;
        let opened = key.open_within(nonce, Aad::from(header), bytes, record + HEADER..);
        let opened = opened.map_err(|_| Error::DecryptError)?;
        // Padding is zeros, and the type stands before it.
        let content = opened.iter().rposition(|byte| *byte != 0);
        let content = content.ok_or(Error::InvalidMessage(InvalidMessage::InvalidContentType))?;
        match opened[content] {
            DATA if content > 0 => Ok(content),
            ALERT => {
                let [_, description] = opened[..content] else {
                    return Err(InvalidMessage::InvalidContentType.into());
                };
                let description = AlertDescription::from(description);
                if description != AlertDescription::CloseNotify {
                    return Err(Error::AlertReceived(description));
                }
                self.closed = true;
                Ok(0)
            }
            _ => Err(InvalidMessage::InvalidContentType.into()),
        }
    }
}

/// How long the record is that begins here, if all of it is there.
fn whole(bytes: &[u8]) -> Result<Option<usize>, Error> {
    let Some(length) = length(bytes) else {
        return Ok(None);
    };
    if bytes[0] != DATA {
        return Err(InvalidMessage::InvalidContentType.into());
    }
    if bytes[1..3] != VERSION {
        return Err(InvalidMessage::UnknownProtocolVersion.into());
    }
    if length > HEADER + CONTENT + EXPANSION {
        return Err(InvalidMessage::MessageTooLarge.into());
    }
    if length <= HEADER + TAG {
        return Err(InvalidMessage::MessageTooShort.into());
    }
    Ok((bytes.len() >= length).then_some(length))
}
