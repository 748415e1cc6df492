//! Questions to the daemon and its answers, over a UNIX socket: a length of four bytes, then
//! the message.

use std::io::{self, ErrorKind, Write as _};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use thiserror::Error;

use super::pass::receive;
use crate::core::{Answer, Ask};

/// The longest message, bytes: the names of 511 nodes.
pub(super) const LONGEST: usize = 128 << 10;
/// How long the daemon may take to answer: it may have to ask another.
const PATIENCE: Duration = Duration::from_secs(15);

/// Why there is no answer.
#[derive(Debug, Error)]
pub enum NoAnswer {
    /// Nobody listens, or we may not connect.
    #[error("cannot reach ssid at {path}: {source}; is it running? see: systemctl status ssid")]
    Unreachable {
        /// The socket.
        path: String,
        /// What the kernel said.
        source: io::Error,
    },
    /// The conversation broke.
    #[error("lost ssid: {0}; is it still running? see: systemctl status ssid")]
    Lost(#[from] io::Error),
}

/// A conversation.
#[derive(Debug)]
pub struct Talk {
    stream: UnixStream,
    came: Vec<u8>,
    /// A descriptor that came along.
    passed: Option<OwnedFd>,
}

impl Talk {
    /// Begins one.
    ///
    /// # Errors
    /// Nobody listens, or we may not connect.
    pub fn open(path: &Path) -> Result<Self, NoAnswer> {
        let stream = UnixStream::connect(path).map_err(|source| NoAnswer::Unreachable {
            path: path.display().to_string(),
            source,
        })?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        Ok(Self {
            stream,
            came: Vec::new(),
            passed: None,
        })
    }

    /// Asks, and waits for the answer.
    ///
    /// # Errors
    /// There is none.
    pub fn ask(&mut self, question: &Ask) -> Result<Answer, NoAnswer> {
        self.say(question)?;
        loop {
            if let Some(answer) = self.heard()? {
                return Ok(answer);
            }
            if !self.hear()? {
                return Err(io::Error::from(ErrorKind::UnexpectedEof).into());
            }
        }
    }

    /// Asks.
    pub(super) fn say(&mut self, question: &Ask) -> io::Result<()> {
        self.stream.write_all(&packed(question)?)
    }

    /// From now on nothing waits.
    pub(super) fn never_wait(&self) -> io::Result<()> {
        self.stream.set_nonblocking(true)
    }

    /// An answer that has come.
    pub(super) fn heard(&mut self) -> io::Result<Option<Answer>> {
        let Some((length, rest)) = self.came.split_first_chunk::<4>() else {
            return Ok(None);
        };
        let length = length_of(*length)?;
        let Some(message) = rest.get(..length) else {
            return Ok(None);
        };
        let answer = unpacked(message)?;
        self.came.drain(..4 + length);
        Ok(Some(answer))
    }

    /// Reads some more; false: the daemon has gone.
    pub(super) fn hear(&mut self) -> io::Result<bool> {
        let mut buffer = [0; 1024];
        let (count, passed) = receive(&self.stream, &mut buffer)?;
        self.came.extend_from_slice(&buffer[..count]);
        self.passed = passed.or(self.passed.take());
        Ok(count > 0)
    }

    /// The descriptor that came along with an answer.
    pub(super) fn passed(&mut self) -> Option<OwnedFd> {
        self.passed.take()
    }
}

impl AsFd for Talk {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }
}

/// A message with its length before it.
pub(super) fn packed(message: &impl Serialize) -> io::Result<Vec<u8>> {
    let message = postcard::to_stdvec(message).map_err(io::Error::other)?;
    let length = u32::try_from(message.len()).map_err(io::Error::other)?;
    let mut bytes = length.to_le_bytes().to_vec();
    bytes.extend_from_slice(&message);
    Ok(bytes)
}

/// A length, if it is one that may be.
pub(super) fn length_of(bytes: [u8; 4]) -> io::Result<usize> {
    let length = u32::from_le_bytes(bytes) as usize;
    if length > LONGEST {
        return Err(io::Error::new(
            ErrorKind::InvalidData,
            "a message that is too long",
        ));
    }
    Ok(length)
}

/// A message.
pub(super) fn unpacked<T: DeserializeOwned>(bytes: &[u8]) -> io::Result<T> {
    postcard::from_bytes(bytes)
        .map_err(|_| io::Error::new(ErrorKind::InvalidData, "a message of another version"))
}
