//! What a new supervisor has to know, in a file that survives a kill at any moment.
//!
//! Records are appended: the length, a checksum, and for an instance what is to be kept of it
//! (or that it is gone). The last record of an instance counts; reading ends at the first
//! record that isn't whole. It is not synced to the disk: what a power cut takes away, it
//! takes away together with the processes.
//!
//! When the disk is full, the file is written anew at another place: what is supervised must
//! be known to the next supervisor, or it would be started a second time. Once there is room
//! again, it goes back. So a file at the other place is never older than the one at the first.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::hash::Hasher as _;
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use siphasher::sip::SipHasher13;

use crate::core::{Id, Kept};

/// What a file begins with, before the boot that it is about.
const MAGIC: &[u8; 8] = b"ssikeep1";
/// The most that a record can have.
const LONGEST: u32 = 1 << 20;
/// Written anew when it is so many times as long as what counts in it.
const WASTE: u64 = 4;
/// Not written anew below that.
const SMALL: u64 = 64 << 10;
/// How long until it is looked again whether the disk has room.
const AGAIN: Duration = Duration::from_secs(1);

/// The file.
#[derive(Debug)]
pub struct Store {
    path: PathBuf,
    /// Where it is written while that can't be; memory, at best.
    spare: Option<PathBuf>,
    /// The file is at the other place, or not whole: when to try the first one again.
    behind: Option<Instant>,
    /// What counts is in the file: the last write to it did not fail.
    whole: bool,
    file: File,
    /// What counts, as it stands in the file.
    live: BTreeMap<Id, Vec<u8>>,
    live_len: u64,
    len: u64,
    boot: [u8; 36],
}

impl Store {
    /// Opens the file, or makes it. Answers what was kept; of another boot, what operators
    /// wanted.
    ///
    /// # Errors
    /// It can't be read or made.
    pub fn open(path: &Path) -> io::Result<(Self, BTreeMap<Id, Kept>)> {
        Self::open_with(path, None)
    }

    /// As [`open`](Self::open); `spare` is where the file is while the disk is full.
    ///
    /// # Errors
    /// It can't be read, or made at either place.
    pub fn open_with(path: &Path, spare: Option<&Path>) -> io::Result<(Self, BTreeMap<Id, Kept>)> {
        let boot = boot()?;
        let head = MAGIC.len() + boot.len();
        let there = spare.map(read).transpose()?.unwrap_or_default();
        let counts = there.starts_with(MAGIC) && there.get(MAGIC.len()..head) == Some(&boot[..]);
        let bytes = if counts { there } else { read(path)? };
        let known = bytes.starts_with(MAGIC) && bytes.len() >= head;
        let mut kept = if known {
            parse(&bytes[head..])
        } else {
            BTreeMap::new()
        };
        if known && bytes[MAGIC.len()..head] != boot {
            for kept in kept.values_mut() {
                kept.after_boot();
            }
        }
        let mut store = Self {
            path: path.to_owned(),
            spare: spare.map(Path::to_owned),
            behind: None,
            whole: true,
            file: File::open("/dev/null")?,
            live: BTreeMap::new(),
            live_len: 0,
            len: 0,
            boot,
        };
        for (id, kept) in &kept {
            let record = record(id, Some(kept))?;
            store.count(id.clone(), Some(record));
        }
        store.anew()?;
        Ok((store, kept))
    }

    /// Writes down what has changed; none: it is gone. All of it with one write.
    ///
    /// # Errors
    /// Neither place has room: what was written before still counts, and all of it is written
    /// as soon as there is room.
    pub fn write<'a>(
        &mut self,
        changes: impl IntoIterator<Item = (Id, Option<&'a Kept>)>,
    ) -> io::Result<()> {
        let mut bytes = Vec::new();
        for (id, kept) in changes {
            let record = record(&id, kept)?;
            bytes.extend_from_slice(&record);
            self.count(id, kept.map(|_| record));
        }
        if bytes.is_empty() {
            return Ok(());
        }
        if !self.whole {
            return self.anew();
        }
        if let Err(error) = self.file.write_all(&bytes) {
            tracing::warn!(%error, path = %self.path.display(), "can't be written to");
            // Half a record would hide all that come after it.
            let _ = self.file.set_len(self.len);
            self.whole = false;
            return self.anew();
        }
        self.len += bytes.len() as u64;
        Ok(())
    }

    fn count(&mut self, id: Id, record: Option<Vec<u8>>) {
        let len = |record: &Vec<u8>| record.len() as u64;
        self.live_len += record.as_ref().map_or(0, len);
        let old = match record {
            Some(record) => self.live.insert(id, record),
            None => self.live.remove(&id),
        };
        self.live_len -= old.as_ref().map_or(0, len);
    }

    /// When it is tried again to have the file at its place, if it is at the other one.
    #[must_use]
    pub const fn due(&self) -> Option<Instant> {
        self.behind
    }

    /// Writes the file anew if most of it counts no more, or it is not at its place and may
    /// go back there. That waits for the disk, so nobody should wait for it.
    ///
    /// # Errors
    /// Neither place has room; the file is as it was.
    pub fn tidy(&mut self) -> io::Result<()> {
        let back = self.behind.is_some_and(|again| Instant::now() >= again);
        let long = self.len > SMALL && self.len > WASTE * self.live_len;
        if back || long {
            self.anew()?;
        }
        Ok(())
    }

    /// Only what counts, in a new file that takes the old one's place at once.
    fn anew(&mut self) -> io::Result<()> {
        let mut bytes = MAGIC.to_vec();
        bytes.extend_from_slice(&self.boot);
        self.live.values().for_each(|record| bytes.extend(record));
        let waits = self.behind.is_some_and(|again| Instant::now() < again);
        let first = if waits {
            Err(io::ErrorKind::StorageFull.into())
        } else {
            replace(&self.path, &bytes)
        };
        let file = match (first, &self.spare) {
            (Ok(file), spare) => {
                if self.behind.take().is_some() {
                    tracing::info!(path = %self.path.display(), "can be written to again");
                }
                // It is the older one from now on.
                if let Some(spare) = spare {
                    remove(spare)?;
                }
                file
            }
            (Err(error), Some(spare)) => {
                if !waits {
                    self.behind = Some(Instant::now() + AGAIN);
                    tracing::warn!(
                        "{} can't be written: {error}; it is in {} until it can",
                        self.path.display(),
                        spare.display()
                    );
                }
                replace(spare, &bytes)?
            }
            (Err(error), None) => return Err(error),
        };
        self.file = file;
        self.len = bytes.len() as u64;
        self.whole = true;
        Ok(())
    }
}

/// A file's bytes; none if there is no file.
fn read(path: &Path) -> io::Result<Vec<u8>> {
    match fs::read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        read => read,
    }
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// A new file in the place of the old one.
fn replace(path: &Path, bytes: &[u8]) -> io::Result<File> {
    let mut draft = path.as_os_str().to_owned();
    draft.push(".new");
    let draft = PathBuf::from(draft);
    let made = || -> io::Result<File> {
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true).mode(0o600);
        let mut file = options.open(&draft)?;
        file.write_all(bytes)?;
        file.sync_data()?;
        fs::rename(&draft, path)?;
        Ok(file)
    };
    // Half of it would take room that others need.
    made().inspect_err(|_| drop(fs::remove_file(&draft)))
}

fn boot() -> io::Result<[u8; 36]> {
    let text = fs::read_to_string("/proc/sys/kernel/random/boot_id")?;
    let text = text.trim().as_bytes();
    text.try_into()
        .map_err(|_| io::Error::other("the kernel's boot_id is none"))
}

fn sum(bytes: &[u8]) -> u64 {
    let mut hasher = SipHasher13::new();
    hasher.write(bytes);
    hasher.finish()
}

fn record(id: &Id, kept: Option<&Kept>) -> io::Result<Vec<u8>> {
    let body = postcard::to_stdvec(&(id, kept)).map_err(io::Error::other)?;
    let len = u32::try_from(body.len()).map_err(io::Error::other)?;
    let mut record = len.to_le_bytes().to_vec();
    record.extend(sum(&body).to_le_bytes());
    record.extend(body);
    Ok(record)
}

/// The last word on each, as far as the records are whole.
fn parse(mut bytes: &[u8]) -> BTreeMap<Id, Kept> {
    let mut kept = BTreeMap::new();
    while let Some((len, rest)) = bytes.split_first_chunk()
        && let Some((check, rest)) = rest.split_first_chunk()
        && let len @ ..=LONGEST = u32::from_le_bytes(*len)
        && let Some((body, rest)) = rest.split_at_checked(len as usize)
        && u64::from_le_bytes(*check) == sum(body)
        && let Ok((id, record)) = postcard::from_bytes::<(Id, Option<Kept>)>(body)
    {
        match record {
            Some(record) => kept.insert(id, record),
            None => kept.remove(&id),
        };
        bytes = rest;
    }
    kept
}

#[cfg(test)]
mod tests;
