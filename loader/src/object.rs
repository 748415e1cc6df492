//! The compiled BPF objects.

use aya::Ebpf;
use aya::programs::{Program, ProgramError};

use crate::LoadError;

static NET: &[u8] = aya::include_bytes_aligned!(concat!(env!("OUT_DIR"), "/net.o"));
static PROC: &[u8] = aya::include_bytes_aligned!(concat!(env!("OUT_DIR"), "/proc.o"));
static BYPASS: &[u8] = aya::include_bytes_aligned!(concat!(env!("OUT_DIR"), "/bypass.o"));
static DRIVE: &[u8] = aya::include_bytes_aligned!(concat!(env!("OUT_DIR"), "/drive.o"));

fn built(name: &'static str, bytes: &'static [u8]) -> Result<&'static [u8], LoadError> {
    if bytes.is_empty() {
        return Err(LoadError::NotBuilt(name));
    }
    Ok(bytes)
}

/// The packet path.
pub(crate) fn net() -> Result<&'static [u8], LoadError> {
    built("net", NET)
}

/// Process tracking.
pub(crate) fn proc() -> Result<&'static [u8], LoadError> {
    built("proc", PROC)
}

/// The way around the network stack.
pub(crate) fn bypass() -> Result<&'static [u8], LoadError> {
    built("bypass", BYPASS)
}

/// The benchmarks' driver.
pub(crate) fn drive() -> Result<&'static [u8], LoadError> {
    built("drive", DRIVE)
}

/// A program of a loaded object, which is to be of this kind.
pub(crate) fn program<'a, P>(ebpf: &'a mut Ebpf, name: &str) -> Result<&'a mut P, ProgramError>
where
    &'a mut P: TryFrom<&'a mut Program, Error = ProgramError>,
{
    ebpf.program_mut(name)
        .ok_or(ProgramError::NotLoaded)?
        .try_into()
}
