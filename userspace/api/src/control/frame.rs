use std::io::{self, BufRead};

use serde::Serialize;
use serde::de::DeserializeOwned;
use thiserror::Error;

use super::MAX_LINE;

/// What [`read_line`] found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Frame {
    /// A whole line, without its newline, is in the buffer.
    Line,
    /// The other side closed the connection between two lines.
    End,
}

/// Why a line could not be read or written.
#[derive(Debug, Error)]
pub enum FrameError {
    /// Longer than [`MAX_LINE`].
    #[error("line longer than {MAX_LINE} bytes")]
    TooLong,
    /// The connection ended in the middle of a line.
    #[error("connection closed in the middle of a line")]
    Cut,
    /// Not what was expected.
    #[error("not understood: {0}")]
    Json(#[from] serde_json::Error),
    /// The socket failed.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// Reads one line into `line` (emptied first); never takes more than [`MAX_LINE`] bytes.
///
/// # Errors
/// If the line is too long or cut, or the socket fails.
pub fn read_line(input: &mut impl BufRead, line: &mut Vec<u8>) -> Result<Frame, FrameError> {
    line.clear();
    loop {
        let available = match input.fill_buf() {
            Ok(available) => available,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
            Err(e) => return Err(e.into()),
        };
        if available.is_empty() {
            return if line.is_empty() {
                Ok(Frame::End)
            } else {
                Err(FrameError::Cut)
            };
        }
        let newline = available.iter().position(|&byte| byte == b'\n');
        let take = newline.unwrap_or(available.len());
        if line.len() + take > MAX_LINE {
            return Err(FrameError::TooLong);
        }
        line.extend_from_slice(&available[..take]);
        input.consume(newline.map_or(take, |at| at + 1));
        if newline.is_some() {
            return Ok(Frame::Line);
        }
    }
}

/// A message as a line, with its newline.
///
/// # Errors
/// If it would be longer than [`MAX_LINE`].
pub fn encode(message: &impl Serialize) -> Result<Vec<u8>, FrameError> {
    let mut line = serde_json::to_vec(message)?;
    if line.len() > MAX_LINE {
        return Err(FrameError::TooLong);
    }
    line.push(b'\n');
    Ok(line)
}

/// A message from a line.
///
/// # Errors
/// If it is not JSON, or not this message.
pub fn decode<T: DeserializeOwned>(line: &[u8]) -> Result<T, FrameError> {
    Ok(serde_json::from_slice(line)?)
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use proptest::prelude::*;

    use super::*;
    use crate::control::{Call, Response};

    #[test]
    fn lines_come_one_by_one() {
        let mut input = Cursor::new(b"one\n\ntwo\ncut".to_vec());
        let mut line = Vec::new();
        for expected in [&b"one"[..], b"", b"two"] {
            assert_eq!(read_line(&mut input, &mut line).unwrap(), Frame::Line);
            assert_eq!(line, expected);
        }
        assert!(matches!(
            read_line(&mut input, &mut line),
            Err(FrameError::Cut)
        ));
    }

    #[test]
    fn an_endless_line_is_refused_before_it_fills_the_memory() {
        let mut input = io::BufReader::new(io::repeat(b'x'));
        let mut line = Vec::new();
        let error = read_line(&mut input, &mut line).unwrap_err();
        assert!(matches!(error, FrameError::TooLong));
        assert!(line.len() <= MAX_LINE);
    }

    #[test]
    fn deep_nesting_is_an_error_and_no_overflow() {
        let line = vec![b'['; 1 << 20];
        assert!(decode::<Call>(&line).is_err());
        let line = br#"{"request":"#.repeat(100_000);
        assert!(decode::<Call>(&line).is_err());
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..512)) {
            let _ = decode::<Call>(&bytes);
            let _ = decode::<Response>(&bytes);
            let mut input = Cursor::new(bytes);
            let mut line = Vec::new();
            while let Ok(Frame::Line) = read_line(&mut input, &mut line) {}
        }

        #[test]
        fn damaged_requests_never_panic(at in 0_usize..400, byte in any::<u8>(), which in 0_usize..8) {
            let described = crate::control::describe();
            let mut line = described[which % described.len()].example.clone().into_bytes();
            let at = at % line.len();
            line[at] = byte;
            if let Ok(call) = decode::<Call>(&line) {
                let again: Call = decode(&encode(&call).unwrap()).unwrap();
                prop_assert_eq!(again, call);
            }
        }
    }
}
