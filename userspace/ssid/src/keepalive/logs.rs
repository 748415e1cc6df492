//! What instances have written here.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::Path;

use serde::{Deserialize, Serialize};
use ssi_keepalive::core::Id;

use super::desk::Desk;

/// Most bytes that are told at once.
const MOST: u64 = 256 << 10;

/// A piece of a log.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Piece {
    /// The text; what is no UTF-8 is replaced.
    pub(crate) text: String,
    /// Where the next one begins.
    pub(crate) next: u64,
}

impl Desk {
    /// Where an instance's log is; none: nothing can be kept alive here.
    pub(crate) fn log(&self, id: &Id) -> Option<std::path::PathBuf> {
        Some(self.local.as_ref().ok()?.log(id))
    }
}

impl Piece {
    /// What is behind a place of a log file; or its last lines. None: there is no such file.
    ///
    /// # Errors
    /// It can't be read.
    pub(crate) fn read(path: &Path, after: Option<u64>, lines: u32) -> io::Result<Option<Self>> {
        let mut file = match File::open(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            opened => opened?,
        };
        let length = file.metadata()?.len();
        let from = match after {
            // Somebody has made the file anew.
            Some(after) if after > length => 0,
            Some(after) => after,
            None => length.saturating_sub(MOST),
        };
        file.seek(SeekFrom::Start(from))?;
        let mut bytes = Vec::new();
        file.take(MOST.min(length - from)).read_to_end(&mut bytes)?;
        let next = from + bytes.len() as u64;
        // What was given back to the file system reads as zeros.
        bytes.retain(|&byte| byte != 0);
        let mut text = String::from_utf8_lossy(&bytes).into_owned();
        if after.is_none() {
            text = last(&text, lines).to_owned();
        }
        Ok(Some(Self { text, next }))
    }
}

/// The last lines of a text.
fn last(text: &str, lines: u32) -> &str {
    let lines = usize::try_from(lines).unwrap_or(usize::MAX);
    let body = text.strip_suffix('\n').unwrap_or(text);
    if lines == 0 {
        return "";
    }
    let start = body.rmatch_indices('\n').nth(lines - 1);
    start.map_or(text, |(at, _)| &text[at + 1..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_lines_and_what_comes_behind() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.log");
        assert_eq!(Piece::read(&path, None, 2).unwrap(), None);
        std::fs::write(&path, "\0\0one\ntwo\nthree\n").unwrap();
        let read = |after, lines| Piece::read(&path, after, lines).unwrap().unwrap();
        assert_eq!(read(None, 2).text, "two\nthree\n");
        assert_eq!(read(None, 9).text, "one\ntwo\nthree\n");
        let end = read(None, 0);
        assert_eq!((end.text.as_str(), end.next), ("", 16));
        assert_eq!(read(Some(10), 0).text, "three\n");
        assert_eq!(read(Some(16), 0).text, "");
        assert_eq!(read(Some(99), 0).text, "one\ntwo\nthree\n");
    }
}
