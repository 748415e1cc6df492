//! Reading what an iterator writes.

use std::io::{self, Read as _};

use aya::programs::{Iter, ProgramError};
use ssi_abi::proc::Task;

use crate::LoadError;

/// The kernel hands over at most 32 KiB at once (eight pages of 4 KiB).
const BUFFER: usize = 64 << 10;

/// Reads an iterator to its end; keeps its buffer for the next time.
#[derive(Debug, Default)]
pub(super) struct Reader(Vec<u8>);

impl Reader {
    /// Appends the records to `tasks`.
    pub(super) fn read(
        &mut self,
        program: Result<&mut Iter, ProgramError>,
        tasks: &mut Vec<Task>,
    ) -> Result<(), LoadError> {
        let refused = |error: &(dyn std::error::Error + 'static)| {
            LoadError::refused("the iterator over tasks", error)
        };
        let program = program.map_err(|error| refused(&error))?;
        let link = program.attach().map_err(|error| refused(&error))?;
        let link = program.take_link(link).map_err(|error| refused(&error))?;
        let mut file = link.into_file().map_err(|error| refused(&error))?;
        self.0.resize(BUFFER, 0);
        // Bytes of a record that a read has cut.
        let mut kept = 0;
        loop {
            let got = match file.read(&mut self.0[kept..]) {
                Ok(0) => return Ok(()),
                Ok(got) => kept + got,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(refused(&error)),
            };
            let records = self.0[..got].chunks_exact(size_of::<Task>());
            let rest = records.remainder().len();
            // SAFETY: a chunk is as long as a `Task`, which is plain integers.
            tasks.extend(records.map(|r| unsafe { r.as_ptr().cast::<Task>().read_unaligned() }));
            self.0.copy_within(got - rest..got, 0);
            kept = rest;
        }
    }
}
