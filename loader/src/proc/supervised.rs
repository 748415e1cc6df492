use std::fs;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::Path;

use aya::maps::MapData;
use ssi_abi::proc::Supervised as Value;

use super::pins;
use crate::LoadError;
use crate::map::{Hash, Raw};

/// Processes whose end is remembered in the kernel, also while no daemon runs: the pinned
/// map of process tracking, which fills it. Needs what [`Proc`](super::Proc) needs.
#[derive(Debug)]
pub struct Supervised(Hash<u32, Value>);

/// A process in the map.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its pid.
    pub pid: u32,
    /// The number it has [entered](fn@super::enter) itself with; 0: none.
    pub run: u64,
    /// When it had started, if it has ended (nanoseconds since boot); none: it has not.
    pub start: Option<u64>,
}

/// The map itself.
impl AsFd for Supervised {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl Supervised {
    /// Opens the map that a [`Proc`](super::Proc) with these pins has pinned.
    ///
    /// # Errors
    /// There is none, or it has another layout.
    pub fn pinned(root: &Path) -> Result<Self, LoadError> {
        const NAME: &str = "SUPERVISED";
        let path = pins::map(root, NAME);
        let refused = |reason: String| LoadError::Refused {
            what: format!("map {}", path.display()),
            reason,
        };
        // aya's own error names no file.
        fs::metadata(&path).map_err(|error| refused(error.to_string()))?;
        let data = MapData::from_pin(&path).map_err(|error| refused(error.to_string()))?;
        let info = data.info().map_err(|error| refused(error.to_string()))?;
        let sizes = (info.key_size() as usize, info.value_size() as usize);
        if sizes != (size_of::<u32>(), size_of::<Value>()) {
            return Err(refused(format!("keys and values have {sizes:?} bytes")));
        }
        let fd = data.fd().as_fd().try_clone_to_owned();
        Ok(Self(Hash::new(Raw {
            name: NAME,
            fd: fd.map_err(|error| refused(error.to_string()))?,
            max_entries: info.max_entries(),
        })))
    }

    /// From now on, the end of this process is remembered, if it isn't yet. To be called
    /// before anybody can have waited for it.
    ///
    /// # Errors
    /// There is no room for more.
    pub fn watch(&self, pid: u32) -> Result<(), LoadError> {
        // Whoever ended by this pid before was another one.
        match self.0.get(&pid)? {
            Some(value) if value.ended == 0 => Ok(()),
            _ => self.0.insert(&pid, &Value::default()),
        }
    }

    /// When the process had started (nanoseconds since boot) that ended by this pid, and its
    /// status as wait(2) has it; none: none has since it is remembered.
    ///
    /// # Errors
    /// The map could not be read.
    pub fn ended(&self, pid: u32) -> Result<Option<(u64, i32)>, LoadError> {
        let value = self.0.get(&pid)?.filter(|value| value.ended != 0);
        Ok(value.map(|value| (value.start, value.status.cast_signed())))
    }

    /// All that are in the map.
    ///
    /// # Errors
    /// The map could not be read.
    pub fn entries(&self) -> Result<Vec<Entry>, LoadError> {
        let mut entries = Vec::new();
        self.0.for_each(|&pid, value| {
            entries.push(Entry {
                pid,
                run: value.run,
                start: (value.ended != 0).then_some(value.start),
            });
        })?;
        Ok(entries)
    }

    /// Its end matters no more.
    ///
    /// # Errors
    /// The map could not be written.
    pub fn forget(&self, pid: u32) -> Result<(), LoadError> {
        self.0.remove(&pid).map(drop)
    }
}
