//! What a node has to give, and how hard its processes press for it.

mod memory;
mod pressure;

use std::fs;
use std::path::{Path, PathBuf};

pub use memory::Memory;
pub use pressure::{Pressure, Stall};

use crate::Error;

/// Processors, memory, pressure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Machine {
    /// Processors that we may run on: those that the container or the affinity leaves us.
    pub cpus: u32,
    /// Memory.
    pub memory: Memory,
    /// Pressure; `None` on kernels without `CONFIG_PSI` (4.20), or with `psi=0`.
    pub pressure: Option<Pressure>,
}

impl Machine {
    /// As it is now.
    ///
    /// # Errors
    /// `/proc/meminfo` can't be read or understood.
    pub fn look() -> Result<Self, Error> {
        let path = Path::new("/proc/meminfo");
        let memory = Memory::parse(&read(path)?).ok_or_else(|| Error::Strange {
            path: path.to_owned(),
        })?;
        let cpus = std::thread::available_parallelism().map_or(1, usize::from);
        Ok(Self {
            cpus: u32::try_from(cpus).unwrap_or(u32::MAX),
            memory,
            pressure: pressure(Path::new("/proc/pressure")),
        })
    }
}

fn pressure(folder: &Path) -> Option<Pressure> {
    // Reading says "not supported" if it is switched off.
    let stall = |name| Stall::parse(&read(&folder.join(name)).ok()?);
    Some(Pressure {
        cpu: stall("cpu")?,
        memory: stall("memory")?,
        io: stall("io")?,
    })
}

fn read(path: &Path) -> Result<Vec<u8>, Error> {
    fs::read(path).map_err(|source| Error::Read {
        path: PathBuf::from(path),
        source,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_has_something() {
        let machine = Machine::look().expect("a Linux machine");
        assert!(machine.cpus > 0);
        assert!(machine.memory.total > machine.memory.available);
    }

    #[test]
    fn without_pressure_there_is_none() {
        let empty = tempfile::tempdir().expect("a directory");
        assert_eq!(pressure(empty.path()), None);
    }
}
