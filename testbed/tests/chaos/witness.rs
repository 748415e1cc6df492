//! The witness: a folder outside of all nodes, with a file for every run of every process.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::beat::{End, now};

/// A folder that all nodes have in common: their root is this machine's.
const FOLDER: &str = "/srv/ssi-chaos-witness";
/// Who has given no sign of life for so long does not run, or stands still.
const SILENT: Duration = Duration::from_secs(1);

/// A run of an instance.
#[derive(Clone, Debug)]
pub(crate) struct Run {
    /// Like `web:0`.
    pub(crate) instance: String,
    pub(crate) node: String,
    pub(crate) pid: u32,
    /// When it gave its first sign of life, and its last, in nanoseconds since boot.
    pub(crate) first: u64,
    pub(crate) last: u64,
    /// How it ended, as it said.
    pub(crate) end: End,
}

impl Run {
    /// Whether it runs at a moment, as far as is known.
    pub(crate) fn runs(&self, now: u64) -> bool {
        let silent = u64::try_from(SILENT.as_nanos()).expect("a second");
        self.end == End::Unsaid && self.last + silent > now
    }

    fn of(path: &Path) -> Option<Self> {
        let name = path.file_name()?.to_str()?;
        let mut parts = name.split('~');
        let (instance, node) = (parts.next()?.to_owned(), parts.next()?.to_owned());
        let (pid, first) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
        let bytes = fs::read(path).ok()?;
        let word = |at: usize| {
            let bytes = bytes.get(at..at + 8).and_then(|b| b.try_into().ok());
            bytes.map_or(0, u64::from_le_bytes)
        };
        Some(Self {
            instance,
            node,
            pid,
            first,
            last: word(8).max(first),
            end: End::of(word(16)),
        })
    }
}

/// Begins with an empty folder; the program in it, and the folder of the runs.
pub(crate) fn begin() -> (PathBuf, PathBuf) {
    forget();
    let runs = Path::new(FOLDER).join("runs");
    fs::create_dir_all(&runs).expect("a folder in /srv");
    let program = Path::new(FOLDER).join("beat");
    let own = std::env::current_exe().expect("this program");
    fs::copy(own, &program).expect("a copy of it");
    (program, runs)
}

/// Removes all of it.
pub(crate) fn forget() {
    let _ = fs::remove_dir_all(FOLDER);
}

/// All runs there ever were, by instance, each in the order of their beginnings; and when that
/// was seen.
pub(crate) fn runs() -> (BTreeMap<String, Vec<Run>>, u64) {
    let mut all: BTreeMap<String, Vec<Run>> = BTreeMap::new();
    let files = fs::read_dir(Path::new(FOLDER).join("runs"));
    for file in files.expect("the folder is there").flatten() {
        if let Some(run) = Run::of(&file.path()) {
            all.entry(run.instance.clone()).or_default().push(run);
        }
    }
    let seen = now();
    for runs in all.values_mut() {
        runs.sort_by_key(|run| run.first);
    }
    (all, seen)
}
