//! What processes write, each to a file of its own.
//!
//! The process itself has the file open, for appending: nobody stands between, so nothing is
//! lost and nobody blocks while no supervisor runs, and a line costs what a write costs. What
//! a pipe would need (somebody who holds its other end for ever, and copies every byte) isn't
//! there.
//!
//! What grows too large is cut off at its *beginning*: the oldest lines are copied to an
//! older file, then their blocks are given back to the file system (`fallocate(2)` with
//! `FALLOC_FL_PUNCH_HOLE`). The process goes on appending meanwhile and notices nothing; no
//! line is lost or there twice, as there would be if the file were copied and truncated, and
//! none goes to a file that was renamed away. The file seems to grow on (`ls -s` shows what
//! it takes); whoever reads it skips the zeros at its beginning ([`content`]).

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use rustix::fs::{FallocateFlags, fallocate};

use crate::config::LogFile;

/// How far back a line's end is looked for, so that no line is cut in two.
const LONGEST_LINE: u64 = 64 << 10;

/// Opens the file that a process writes to. Only root and its group may read it.
///
/// # Errors
/// It can't be made.
pub fn open(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.append(true).create(true).mode(0o640).open(path)
}

/// Where what is left of a file begins: behind what was given back. It stands in a file
/// beside it: the file system could tell the block only.
fn begin(path: &Path, len: u64) -> io::Result<u64> {
    let begin = match fs::read_to_string(beside(path, "begin")) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
        read => read?.trim().parse().unwrap_or(0),
    };
    // Somebody has made the file anew.
    Ok(if begin > len { 0 } else { begin })
}

fn set_begin(path: &Path, begin: u64) -> io::Result<()> {
    let draft = beside(path, "begin.new");
    fs::write(&draft, format!("{begin}\n"))?;
    fs::rename(draft, beside(path, "begin"))
}

fn beside(path: &Path, what: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{what}"));
    name.into()
}

/// The content of a log file, without what was cut off.
///
/// # Errors
/// It can't be read.
pub fn content(path: &Path) -> io::Result<Vec<u8>> {
    let mut file = File::open(path)?;
    let begin = begin(path, file.metadata()?.len())?;
    file.seek(SeekFrom::Start(begin))?;
    let mut content = Vec::new();
    file.read_to_end(&mut content)?;
    // What has been given back since has zeros.
    let zeros = content.iter().take_while(|&&byte| byte == 0).count();
    content.drain(..zeros);
    Ok(content)
}

/// Moves the oldest lines to an older file if the file has become too large. Answers whether
/// it had.
///
/// # Errors
/// The file system can't give blocks back, or is full; nothing is lost.
pub fn rotate(path: &Path, limits: LogFile) -> io::Result<bool> {
    let file = match OpenOptions::new().read(true).write(true).open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        opened => opened?,
    };
    let len = file.metadata()?.len();
    // What was given back already can only make it less.
    if len <= limits.size.0 {
        return Ok(false);
    }
    let begin = begin(path, len)?;
    if len - begin <= limits.size.0 {
        return Ok(false);
    }
    // Whoever rotated last may have been killed between the copy and the cut.
    if let Some(copy) = Copy::left(path)? {
        copy.finish(&file, path, limits.keep)?;
        return Ok(true);
    }
    let cut = line_end(&file, begin, len)?;
    if limits.keep == 0 {
        give_back(&file, begin, cut)?;
        set_begin(path, cut)?;
    } else {
        Copy::make(&file, begin, cut, path)?.finish(&file, path, limits.keep)?;
    }
    Ok(true)
}

fn give_back(file: &File, begin: u64, cut: u64) -> io::Result<()> {
    let flags = FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE;
    Ok(fallocate(file, flags, begin, cut.saturating_sub(begin))?)
}

/// `web.log.1` is younger than `web.log.2`.
fn older(path: &Path, n: u32) -> PathBuf {
    beside(path, &n.to_string())
}

/// The end of the last line before `len`; a line without end is cut where it is.
fn line_end(file: &File, begin: u64, len: u64) -> io::Result<u64> {
    let from = begin.max(len.saturating_sub(LONGEST_LINE));
    let mut tail = vec![0; usize::try_from(len - from).map_err(io::Error::other)?];
    file.read_exact_at(&mut tail, from)?;
    let end = tail.iter().rposition(|&byte| byte == b'\n');
    Ok(end.map_or(len, |at| from + at as u64 + 1))
}

/// A whole copy of what is to be cut off. Its name says what that is, so that it is cut once
/// however often that is tried.
struct Copy {
    path: PathBuf,
    begin: u64,
    cut: u64,
}

impl Copy {
    fn named(path: &Path, begin: u64, cut: u64) -> Self {
        let path = beside(path, &format!("cut-{begin}-{cut}"));
        Self { path, begin, cut }
    }

    fn make(file: &File, begin: u64, cut: u64, path: &Path) -> io::Result<Self> {
        let draft = beside(path, "new");
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true).mode(0o640);
        let mut to = options.open(&draft)?;
        let mut from = file;
        from.seek(SeekFrom::Start(begin))?;
        let copied = io::copy(&mut from.take(cut - begin), &mut to)?;
        if copied != cut - begin {
            return Err(io::Error::other("the file has become shorter"));
        }
        to.sync_data()?;
        let copy = Self::named(path, begin, cut);
        fs::rename(draft, &copy.path)?;
        Ok(copy)
    }

    /// The one that was not finished.
    fn left(path: &Path) -> io::Result<Option<Self>> {
        let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else {
            return Ok(None);
        };
        let head = format!("{}.cut-", name.to_string_lossy());
        for entry in fs::read_dir(folder)? {
            let name = entry?.file_name();
            let range = name.to_str().and_then(|name| name.strip_prefix(&head));
            let range = range.and_then(|range| range.split_once('-'));
            let range = range.map(|(begin, cut)| (begin.parse(), cut.parse()));
            if let Some((Ok(begin), Ok(cut))) = range {
                return Ok(Some(Self::named(path, begin, cut)));
            }
        }
        Ok(None)
    }

    fn finish(self, file: &File, path: &Path, keep: u32) -> io::Result<()> {
        give_back(file, self.begin, self.cut)?;
        set_begin(path, self.cut)?;
        for n in (1..keep).rev() {
            let _ = fs::rename(older(path, n), older(path, n + 1));
        }
        fs::rename(self.path, older(path, 1))
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;
    use crate::config::Size;

    #[test]
    fn no_line_is_lost_or_there_twice() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("web.log");
        let limits = LogFile {
            size: Size(20_000),
            keep: 100,
            journal: false,
        };
        let mut writer = open(&path).unwrap();
        let mut rotations = 0;
        for n in 0..10_000 {
            writeln!(writer, "line {n}").unwrap();
            if n % 100 == 0 {
                rotations += u32::from(rotate(&path, limits).unwrap());
            }
        }
        assert!(rotations >= 4, "{rotations}");
        let mut all = Vec::new();
        for n in (1..=rotations).rev() {
            all.extend(fs::read(older(&path, n)).unwrap());
        }
        all.extend(content(&path).unwrap());
        let all = String::from_utf8(all).unwrap();
        let wanted = (0..10_000).map(|n| format!("line {n}\n"));
        assert_eq!(all, wanted.collect::<String>());
        assert!(content(&path).unwrap().len() < 30_000);
    }

    #[test]
    fn a_rotation_that_was_cut_short_is_finished() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("web.log");
        let limits = LogFile {
            size: Size(4096),
            keep: 2,
            journal: false,
        };
        let text = "a line\n".repeat(1000);
        fs::write(&path, &text).unwrap();
        // Killed between the copy and the cut; the process has gone on writing.
        fs::write(folder.path().join("web.log.cut-0-7000"), &text).unwrap();
        let mut writer = open(&path).unwrap();
        writer.write_all(b"the last\n").unwrap();
        assert!(rotate(&path, limits).unwrap());
        assert_eq!(content(&path).unwrap(), b"the last\n");
        assert_eq!(fs::read_to_string(older(&path, 1)).unwrap(), text);
        assert!(!rotate(&path, limits).unwrap());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 3);
    }
}
