//! What surrogate and session say to each other: frames of a kind, a number, a length and a
//! body.
//!
//! ```text
//! kind (1)  number (1)  length of the body (4, little endian)  body
//! ```

use thiserror::Error;

use super::{CHUNK, Exit, Size, Stream};

/// Bytes before the body.
const HEADER: usize = 6;
/// The longest description of a command: the kernel takes no more than 2 MiB of arguments
/// and environment unless it is told to.
const LONGEST_SPEC: usize = 8 << 20;
/// The longest reason in words.
const LONGEST_REASON: usize = 4096;

mod kind {
    pub(super) const SPEC: u8 = 1;
    pub(super) const STARTED: u8 = 2;
    pub(super) const NOT_RUN: u8 = 3;
    pub(super) const DATA: u8 = 4;
    pub(super) const END: u8 = 5;
    pub(super) const UNWANTED: u8 = 6;
    pub(super) const CREDIT: u8 = 7;
    pub(super) const SIZE: u8 = 8;
    pub(super) const SIGNAL: u8 = 9;
    pub(super) const STOPPED: u8 = 10;
    pub(super) const CONTINUE: u8 = 11;
    pub(super) const EXITED: u8 = 12;
    pub(super) const KILLED: u8 = 13;
    pub(super) const READY: u8 = 14;
}

/// One of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Frame<'a> {
    /// To the surrogate, first of all: there is a session.
    Ready,
    /// To the session, first of all: what to run (a [`Spec`](super::Spec)).
    Spec(&'a [u8]),
    /// It runs, as this process.
    Started {
        /// Its number on its node.
        pid: u32,
    },
    /// It does not run (a [`NotRun`](super::NotRun)).
    NotRun(&'a [u8]),
    /// Some of a stream.
    Data(Stream, &'a [u8]),
    /// A stream has ended.
    End(Stream),
    /// Nobody reads a stream any more.
    Unwanted(Stream),
    /// So many more bytes of a stream may be sent.
    Credit(Stream, u32),
    /// The terminal's size.
    Size(Size),
    /// To the session: a signal for the command.
    Signal(u8),
    /// The command was stopped by this signal.
    Stopped(u8),
    /// To the session: the command goes on, in the foreground or not.
    Continue {
        /// Whether what is typed is for it.
        foreground: bool,
    },
    /// The command has ended, and has read so many bytes of its input.
    Exited(Exit, u64),
}

/// What no frame looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the other end says what makes no sense: {0}")]
pub struct Malformed(pub &'static str);

impl Frame<'_> {
    /// Appends it.
    pub fn encode(&self, to: &mut Vec<u8>) {
        let number = |stream: Stream| stream.number();
        match self {
            Self::Ready => put(to, kind::READY, 0, &[]),
            Self::Spec(bytes) => put(to, kind::SPEC, 0, &[bytes]),
            Self::Started { pid } => put(to, kind::STARTED, 0, &[&pid.to_le_bytes()]),
            Self::NotRun(bytes) => put(to, kind::NOT_RUN, 0, &[bytes]),
            Self::Data(stream, bytes) => put(to, kind::DATA, number(*stream), &[bytes]),
            Self::End(stream) => put(to, kind::END, number(*stream), &[]),
            Self::Unwanted(stream) => put(to, kind::UNWANTED, number(*stream), &[]),
            Self::Credit(stream, more) => {
                put(to, kind::CREDIT, number(*stream), &[&more.to_le_bytes()]);
            }
            Self::Size(size) => put(to, kind::SIZE, 0, &[&size.to_bytes()]),
            Self::Signal(signal) => put(to, kind::SIGNAL, *signal, &[]),
            Self::Stopped(signal) => put(to, kind::STOPPED, *signal, &[]),
            Self::Continue { foreground } => {
                put(to, kind::CONTINUE, u8::from(*foreground), &[]);
            }
            Self::Exited(Exit::Code(code), read) => {
                put(to, kind::EXITED, *code, &[&read.to_le_bytes()]);
            }
            Self::Exited(Exit::Signal(signal), read) => {
                put(to, kind::KILLED, *signal, &[&read.to_le_bytes()]);
            }
        }
    }
}

fn put(to: &mut Vec<u8>, kind: u8, number: u8, parts: &[&[u8]]) {
    let length: usize = parts.iter().map(|part| part.len()).sum();
    // Nobody makes one of 4 GiB: the limits below are far from it.
    let length = u32::try_from(length).unwrap_or(u32::MAX);
    to.extend_from_slice(&[kind, number]);
    to.extend_from_slice(&length.to_le_bytes());
    for part in parts {
        to.extend_from_slice(part);
    }
}

/// The first frame of `bytes`, and how many of them it is; none: there is more to come.
///
/// # Errors
/// It is none, or longer than one of its kind may be; found as soon as its header is there.
pub(super) fn decode(bytes: &[u8]) -> Result<Option<(Frame<'_>, usize)>, Malformed> {
    let Some((header, rest)) = bytes.split_first_chunk::<HEADER>() else {
        return Ok(None);
    };
    let [kind, number, length @ ..] = *header;
    let length = u32::from_le_bytes(length) as usize;
    let (least, most) = lengths(kind).ok_or(Malformed("an unknown kind of frame"))?;
    if !(least..=most).contains(&length) {
        return Err(Malformed("a frame of a length that its kind has not"));
    }
    let Some(body) = rest.get(..length) else {
        return Ok(None);
    };
    let frame = frame(kind, number, body)?;
    Ok(Some((frame, HEADER + length)))
}

/// How long bodies of a kind may be.
fn lengths(kind: u8) -> Option<(usize, usize)> {
    Some(match kind {
        kind::SPEC => (1, LONGEST_SPEC),
        kind::NOT_RUN => (1, LONGEST_REASON),
        kind::DATA => (1, CHUNK),
        kind::STARTED | kind::CREDIT => (4, 4),
        kind::SIZE | kind::EXITED | kind::KILLED => (8, 8),
        kind::READY
        | kind::END
        | kind::UNWANTED
        | kind::SIGNAL
        | kind::STOPPED
        | kind::CONTINUE => (0, 0),
        _ => return None,
    })
}

fn frame(kind: u8, number: u8, body: &[u8]) -> Result<Frame<'_>, Malformed> {
    let stream = || Stream::of_number(number).ok_or(Malformed("an unknown stream"));
    let four = || body.try_into().map(u32::from_le_bytes).unwrap_or(0);
    let eight: [u8; 8] = body.try_into().unwrap_or_default();
    let signal = || {
        let known = (1..=64).contains(&number);
        known
            .then_some(number)
            .ok_or(Malformed("an unknown signal"))
    };
    Ok(match kind {
        kind::READY => Frame::Ready,
        kind::SPEC => Frame::Spec(body),
        kind::STARTED => Frame::Started { pid: four() },
        kind::NOT_RUN => Frame::NotRun(body),
        kind::DATA => Frame::Data(stream()?, body),
        kind::END => Frame::End(stream()?),
        kind::UNWANTED => Frame::Unwanted(stream()?),
        kind::CREDIT => Frame::Credit(stream()?, four()),
        kind::SIZE => Frame::Size(Size::of_bytes(eight)),
        kind::SIGNAL => Frame::Signal(signal()?),
        kind::STOPPED => Frame::Stopped(signal()?),
        kind::CONTINUE => Frame::Continue {
            foreground: number != 0,
        },
        kind::EXITED => Frame::Exited(Exit::Code(number), u64::from_le_bytes(eight)),
        kind::KILLED => Frame::Exited(Exit::Signal(signal()?), u64::from_le_bytes(eight)),
        _ => return Err(Malformed("an unknown kind of frame")),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn bodies() -> impl Strategy<Value = Vec<u8>> {
        prop::collection::vec(any::<u8>(), 1..200)
    }

    fn some(which: u8, number: u8, count: u32, body: &[u8]) -> Frame<'_> {
        let stream = Stream::of_number(number % 3).expect("one of three");
        let signal = number % 64 + 1;
        match which % 13 {
            0 => Frame::Spec(body),
            1 => Frame::Started { pid: count },
            2 => Frame::NotRun(body),
            3 => Frame::Data(stream, body),
            4 => Frame::End(stream),
            5 => Frame::Unwanted(stream),
            6 => Frame::Credit(stream, count),
            7 => Frame::Signal(signal),
            8 => Frame::Stopped(signal),
            9 => Frame::Continue {
                foreground: count.is_multiple_of(2),
            },
            10 => Frame::Exited(Exit::Code(number), u64::from(count)),
            11 => Frame::Exited(Exit::Signal(signal), u64::from(count)),
            _ => Frame::Ready,
        }
    }

    proptest! {
        #[test]
        fn frames_come_back_however_they_are_cut(
            which: u8, number: u8, count: u32, body in bodies(), cut in 0.0..1.0_f64,
        ) {
            let sent = some(which, number, count, &body);
            let mut bytes = Vec::new();
            sent.encode(&mut bytes);
            let whole = bytes.len();
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a part of it")]
            let part = (whole as f64 * cut) as usize;
            prop_assert_eq!(decode(&bytes[..part]), Ok(None));
            bytes.extend_from_slice(b"more");
            prop_assert_eq!(decode(&bytes), Ok(Some((sent, whole))));
        }

        #[test]
        fn anything_is_taken(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let mut rest = &bytes[..];
            while let Ok(Some((frame, length))) = decode(rest) {
                let mut again = Vec::new();
                frame.encode(&mut again);
                prop_assert_eq!(decode(&again), Ok(Some((frame, again.len()))));
                rest = &rest[length..];
            }
        }

        #[test]
        fn damaged_frames_never_panic(which: u8, body in bodies(), at: prop::sample::Index, with: u8) {
            let mut bytes = Vec::new();
            some(which, 1, 7, &body).encode(&mut bytes);
            let at = at.index(bytes.len());
            bytes[at] = with;
            let _ = decode(&bytes);
        }
    }

    #[test]
    fn too_long_is_refused_by_the_header() {
        for (kind, length) in [
            (kind::DATA, CHUNK + 1),
            (kind::SPEC, LONGEST_SPEC + 1),
            (kind::END, 1),
        ] {
            let mut bytes = vec![kind, 0];
            bytes.extend_from_slice(&u32::try_from(length).expect("short").to_le_bytes());
            assert!(decode(&bytes).is_err());
        }
    }
}
