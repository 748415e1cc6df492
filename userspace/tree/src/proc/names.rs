//! What else there is in the node's own /proc: names that are no numbers of processes.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// This node's own /proc.
const PROC: &str = "/proc";
/// Most names that are known; a /proc has some dozens.
const MOST: usize = 4_096;

/// Names that were found there, each with a number.
#[derive(Debug, Default)]
pub(super) struct Names(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    names: Vec<String>,
    numbers: HashMap<String, u32>,
}

/// What a /proc has: processes, in no order, and other names.
#[derive(Debug, Default)]
pub(super) struct Contents {
    pub(super) pids: Vec<u32>,
    pub(super) others: Vec<String>,
}

impl Names {
    /// The number of a name, if /proc has it.
    pub(super) fn find(&self, name: &str) -> Option<u32> {
        if let Some(number) = self.known().numbers.get(name) {
            return Some(*number);
        }
        fs::symlink_metadata(Path::new(PROC).join(name)).ok()?;
        self.number(name)
    }

    /// The name that has a number.
    pub(super) fn name(&self, number: u32) -> Option<String> {
        let at = usize::try_from(number).ok()?;
        self.known().names.get(at).cloned()
    }

    /// The number of a name that /proc has.
    pub(super) fn number(&self, name: &str) -> Option<u32> {
        let mut known = self.known();
        if let Some(number) = known.numbers.get(name) {
            return Some(*number);
        }
        let number = u32::try_from(known.names.len()).ok()?;
        if known.names.len() >= MOST {
            return None;
        }
        known.names.push(name.to_owned());
        known.numbers.insert(name.to_owned(), number);
        Some(number)
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What there is now.
///
/// # Errors
/// /proc can't be read.
pub(super) fn contents() -> io::Result<Contents> {
    let mut contents = Contents::default();
    for entry in fs::read_dir(PROC)? {
        let Ok(name) = entry?.file_name().into_string() else {
            continue;
        };
        match name.parse() {
            Ok(pid) => contents.pids.push(pid),
            Err(_) => contents.others.push(name),
        }
    }
    Ok(contents)
}

/// Whether there is a process, or a thread, of this number.
pub(super) fn is_there(pid: u32) -> bool {
    fs::symlink_metadata(format!("{PROC}/{pid}")).is_ok()
}

/// The process that a thread is of.
pub(super) fn process_of(thread: u32) -> Option<u32> {
    let status = fs::read_to_string(format!("{PROC}/{thread}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("Tgid:"));
    line?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_keep_their_numbers() {
        let names = Names::default();
        let version = names.find("version").expect("every /proc has it");
        assert_eq!(names.find("meminfo"), Some(version + 1));
        assert_eq!(names.find("version"), Some(version));
        assert_eq!(names.name(version).as_deref(), Some("version"));
        assert_eq!(names.find("no such name"), None);
        assert_eq!(names.name(version + 2), None);
    }

    #[test]
    fn of_threads_the_process_is_known() {
        let own = std::process::id();
        assert_eq!(process_of(own), Some(own));
        let thread = std::thread::spawn(|| {
            let thread = rustix::thread::gettid().as_raw_nonzero().get();
            (
                process_of(thread.unsigned_abs()),
                is_there(thread.unsigned_abs()),
            )
        });
        assert_eq!(thread.join().expect("it ends"), (Some(own), true));
        let contents = contents().expect("/proc");
        assert!(contents.pids.contains(&own) && contents.others.contains(&"uptime".to_owned()));
        assert_eq!(process_of(0), None);
    }
}
