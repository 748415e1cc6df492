//! How calls end when they don't succeed.

use bytes::{BufMut, Bytes, BytesMut};

use super::{Epoch, Node};

/// Why a call has no reply.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// The view says that the node has gone.
    #[error("node {node} is down since epoch {epoch} of the view")]
    NodeDown {
        /// The node that was called.
        node: Node,
        /// The view's epoch that has it no longer; 0 if no view had it yet.
        epoch: Epoch,
    },
    /// The node lives on, but the daemon that had the call does not.
    #[error("the ssid of node {node} was restarted: whether the call was carried out is not known")]
    Restarted {
        /// The node that was called.
        node: Node,
    },
    /// The reply did not come in time.
    #[error("no reply before the deadline")]
    Deadline,
    /// The caller gave up.
    #[error("cancelled")]
    Cancelled,
    /// Too many calls to that service of that node wait already; try again when some of
    /// them are done.
    #[error("throttled: too many calls to this service of the node wait already")]
    Throttled,
    /// A body is larger than a frame can be; it has to go as a stream.
    #[error("a body of {0} bytes is more than a frame holds: send it as a stream")]
    TooLarge(usize),
    /// The node has no such service.
    #[error("the node has no such service")]
    NoService,
    /// The handler failed; what it said.
    #[error("{0}")]
    Failed(String),
    /// What came back makes no sense.
    #[error("the reply makes no sense: {0}")]
    Protocol(&'static str),
}

/// What a handler answers if it has no reply.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// Nothing is registered under that number.
    #[error("no such service")]
    NoService,
    /// It was cancelled before it was done.
    #[error("cancelled")]
    Cancelled,
    /// Its deadline came before it was done.
    #[error("no reply before the deadline")]
    Deadline,
    /// Anything else, in words.
    #[error("{0}")]
    Other(String),
}

/// Most bytes of [`Failure::Other`] that go over the wire.
const LONGEST: usize = 4096;

impl Failure {
    /// As the body of a frame: one byte for the kind, then the words in UTF-8.
    #[must_use]
    pub fn encode(&self) -> Bytes {
        let (code, words) = match self {
            Self::NoService => (1, ""),
            Self::Cancelled => (2, ""),
            Self::Deadline => (3, ""),
            Self::Other(words) => (0, words.as_str()),
        };
        let words = &words[..words.floor_char_boundary(LONGEST)];
        let mut body = BytesMut::with_capacity(1 + words.len());
        body.put_u8(code);
        body.put_slice(words.as_bytes());
        body.freeze()
    }

    /// What a body says, as the caller sees it.
    #[must_use]
    pub fn decode(body: &[u8]) -> CallError {
        match body {
            [0, words @ ..] => CallError::Failed(String::from_utf8_lossy(words).into_owned()),
            [1] => CallError::NoService,
            [2] => CallError::Cancelled,
            [3] => CallError::Deadline,
            _ => CallError::Protocol("an unknown kind of failure"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_arrive_as_they_were_meant() {
        let over = |failure: Failure| Failure::decode(&failure.encode());
        assert_eq!(over(Failure::NoService), CallError::NoService);
        assert_eq!(over(Failure::Cancelled), CallError::Cancelled);
        assert_eq!(over(Failure::Deadline), CallError::Deadline);
        assert_eq!(
            over(Failure::Other("disk full".into())),
            CallError::Failed("disk full".into())
        );
        let CallError::Failed(cut) = over(Failure::Other("ä".repeat(4000))) else {
            panic!("another kind");
        };
        assert_eq!(cut.len(), LONGEST);
        assert!(matches!(Failure::decode(&[]), CallError::Protocol(_)));
    }
}
