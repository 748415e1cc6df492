//! Who looks at all processes, one after the other, as ps does: what they would read is asked for
//! together, for some hundred at a time, instead of a question for every file.
//!
//! A thread that opens the directory of all processes begins a sweep. What was gathered for it is
//! its own, with its own rights; each file is told from it once, and for half a second. So
//! whoever reads a file again reads it as it is then.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use ssi_api::process::{Bytes, Cpid, ProcFile, Reader, Seen};

/// How old what is told may be.
const FRESH: Duration = Duration::from_millis(500);
/// How long a thread may look at nothing in between.
const PAUSE: Duration = Duration::from_secs(1);
/// Most sweeps at a time.
const MOST: usize = 32;
/// So many files have to be looked at after something was gathered before there is more of it:
/// else they are looked at one by one.
const WORTH: usize = 16;

#[derive(Debug, Default)]
pub(super) struct Sweeps(Mutex<HashMap<u32, Sweep>>);

#[derive(Debug)]
struct Sweep {
    reader: Reader,
    used: Instant,
    nodes: HashMap<u16, Gathered>,
}

#[derive(Debug)]
struct Gathered {
    at: Instant,
    /// What was not told yet, by pid.
    left: HashMap<u32, [Option<Bytes>; Seen::FILES.len()]>,
    /// How many files were looked at since.
    looked: usize,
    /// Those above this are not known; none: there are no more.
    last: Option<u32>,
}

impl Sweeps {
    /// A thread begins to look at all.
    pub(super) fn begin(&self, thread: u32, reader: Reader, now: Instant) {
        let mut all = self.all();
        all.retain(|_, sweep| now.duration_since(sweep.used) < PAUSE);
        if all.len() < MOST || all.contains_key(&thread) {
            let sweep = Sweep {
                reader,
                used: now,
                nodes: HashMap::new(),
            };
            all.insert(thread, sweep);
        }
    }

    /// Whether processes are to be gathered now, from one on that a thread looks at.
    pub(super) fn wants(&self, thread: u32, reader: Reader, cpid: Cpid, now: Instant) -> bool {
        let mut all = self.all();
        let Some(sweep) = sweep(&mut all, thread, reader, now) else {
            return false;
        };
        let Some(known) = sweep.nodes.get(&cpid.node()) else {
            return true;
        };
        let old = now.saturating_duration_since(known.at) >= FRESH;
        let beyond = known.last.is_some_and(|last| cpid.pid() > last);
        (old || beyond) && known.looked >= WORTH
    }

    /// What was gathered for it, which came at `at`.
    pub(super) fn put(&self, thread: u32, node: u16, at: Instant, seen: Vec<Seen>, more: bool) {
        let mut all = self.all();
        let Some(sweep) = all.get_mut(&thread) else {
            return;
        };
        sweep.used = Instant::now();
        let last = seen.last().filter(|_| more).map(|last| last.pid);
        let left = seen.into_iter().map(|mut seen| {
            let files = Seen::FILES.map(|file| seen.file(file).map(std::mem::take));
            (seen.pid, files)
        });
        let gathered = Gathered {
            at,
            left: left.collect(),
            looked: 0,
            last,
        };
        sweep.nodes.insert(node, gathered);
    }

    /// What a file says, if it was gathered for this thread and not told yet.
    pub(super) fn take(
        &self,
        thread: u32,
        reader: Reader,
        cpid: Cpid,
        file: ProcFile,
        now: Instant,
    ) -> Option<Vec<u8>> {
        let place = Seen::FILES.iter().position(|known| *known == file)?;
        let mut all = self.all();
        let sweep = sweep(&mut all, thread, reader, now)?;
        let known = sweep.nodes.get_mut(&cpid.node())?;
        known.looked += 1;
        if now.saturating_duration_since(known.at) >= FRESH {
            return None;
        }
        let Bytes(said) = known.left.get_mut(&cpid.pid())?.get_mut(place)?.take()?;
        Some(said)
    }

    fn all(&self) -> MutexGuard<'_, HashMap<u32, Sweep>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A thread's sweep, if it has one that goes on.
fn sweep(
    all: &mut HashMap<u32, Sweep>,
    thread: u32,
    reader: Reader,
    now: Instant,
) -> Option<&mut Sweep> {
    let sweep = all.get_mut(&thread)?;
    // The number may be another's by now.
    if sweep.reader != reader || now.saturating_duration_since(sweep.used) >= PAUSE {
        all.remove(&thread);
        return None;
    }
    let sweep = all.get_mut(&thread)?;
    sweep.used = now;
    Some(sweep)
}

#[cfg(test)]
mod tests {
    use super::*;

    const READER: Reader = Reader { uid: 7, gid: 7 };
    const OTHER: Reader = Reader { uid: 8, gid: 7 };

    fn seen(pid: u32) -> Seen {
        Seen {
            pid,
            stat: Bytes(format!("{pid} (x)").into_bytes()),
            ..Seen::default()
        }
    }

    fn cpid(pid: u32) -> Cpid {
        Cpid::new(2, pid).expect("in range")
    }

    #[test]
    fn each_file_is_told_once_to_whom_it_was_gathered_for() {
        let (sweeps, now) = (Sweeps::default(), Instant::now());
        assert!(!sweeps.wants(1, READER, cpid(5), now), "it did not begin");
        sweeps.begin(1, READER, now);
        assert!(sweeps.wants(1, READER, cpid(5), now));
        sweeps.put(1, 2, now, vec![seen(5), seen(6)], false);
        assert!(!sweeps.wants(1, READER, cpid(5), now));
        assert!(sweeps.wants(1, READER, Cpid::new(3, 5).expect("in range"), now));
        let take = |thread, pid| sweeps.take(thread, READER, cpid(pid), ProcFile::Stat, now);
        assert_eq!(take(2, 5), None, "another thread");
        assert_eq!(take(1, 7), None, "it was not there");
        assert_eq!(take(1, 5).as_deref(), Some(b"5 (x)".as_slice()));
        assert_eq!(take(1, 5), None, "read again");
        let environ = sweeps.take(1, READER, cpid(6), ProcFile::Environ, now);
        assert_eq!(environ, None, "not for everybody");
        let stolen = sweeps.take(1, OTHER, cpid(6), ProcFile::Stat, now);
        assert_eq!(stolen, None, "another reader");
        assert_eq!(take(1, 6), None, "so the thread is another");
    }

    #[test]
    fn what_is_old_is_not_told() {
        let (sweeps, now) = (Sweeps::default(), Instant::now());
        sweeps.begin(1, READER, now);
        sweeps.put(1, 2, now, (1..=40).map(seen).collect(), true);
        let later = now + FRESH;
        let take = |pid, now| sweeps.take(1, READER, cpid(pid), ProcFile::Stat, now);
        assert_eq!(take(1, later), None);
        assert!(!sweeps.wants(1, READER, cpid(5), later), "for nobody");
        for pid in 1..=15 {
            assert!(
                !sweeps.wants(1, READER, cpid(41), now),
                "too little was read"
            );
            assert!(take(pid, now).is_some());
        }
        assert!(sweeps.wants(1, READER, cpid(41), now));
        assert!(!sweeps.wants(1, READER, cpid(40), now));
        assert!(sweeps.wants(1, READER, cpid(5), later));
        assert!(!sweeps.wants(1, READER, cpid(5), later + PAUSE));
    }

    #[test]
    fn there_are_only_so_many() {
        let (sweeps, now) = (Sweeps::default(), Instant::now());
        for thread in 1..=100 {
            sweeps.begin(thread, READER, now);
        }
        assert_eq!(sweeps.all().len(), MOST);
        sweeps.begin(101, READER, now + PAUSE);
        assert_eq!(sweeps.all().len(), 1);
    }
}
