use std::io;
use std::os::fd::{AsFd, AsRawFd as _};

use ssi_abi::limits;
use ssi_abi::member::LANES;

use super::{Raw, Records};
use crate::LoadError;

/// The sockets that listen for the lanes' workers. A socket that is closed by everybody
/// leaves by itself.
#[derive(Debug)]
pub struct Listeners {
    sockets: Raw,
    workers: Records<u32>,
}

impl Listeners {
    pub(crate) fn new(sockets: Raw, workers: Records<u32>) -> Self {
        Self { sockets, workers }
    }

    /// Which worker serves each lane.
    ///
    /// # Errors
    /// The kernel's.
    pub fn assign(&self, workers: [u32; LANES as usize]) -> Result<(), LoadError> {
        for (lane, worker) in (0..).zip(workers) {
            self.workers.set(lane, &worker)?;
        }
        Ok(())
    }

    /// Puts the sockets in, each at the place of its worker, and takes all others out. They
    /// have to listen, with `SO_REUSEPORT`. In between, the kernel spreads connections by
    /// their hash.
    ///
    /// # Errors
    /// The kernel's; "busy" if a socket is in another array.
    pub(crate) fn set(&self, sockets: &[impl AsFd]) -> io::Result<()> {
        self.clear()?;
        for (place, socket) in (0_u32..).zip(sockets).take(limits::WORKERS) {
            let descriptor = socket.as_fd().as_raw_fd().cast_unsigned();
            self.sockets.put(&place, &descriptor)?;
        }
        Ok(())
    }

    /// Takes all sockets out.
    pub(crate) fn clear(&self) -> io::Result<()> {
        for place in 0..self.sockets.max_entries {
            match self.sockets.take_out(&place) {
                Err(error) if error.raw_os_error() != Some(libc::ENOENT) => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }
}
