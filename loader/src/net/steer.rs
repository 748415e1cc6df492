//! New connections to the cluster's port: each to the socket of its lane's worker.

use std::io;
use std::os::fd::AsFd;
use std::time::Duration;

use aya::maps::{Map, MapData, ReusePortSockArray};
use aya::programs::SkReuseport;
use ssi_abi::limits;
use ssi_abi::member::LANES;

use super::Net;
use crate::{LoadError, object};

/// The program's name in the object.
pub(super) const PROGRAM: &str = "ssi_lane";
/// The array's name in the object.
pub(super) const ARRAY: &str = "LISTENERS";

/// How often, and after which time, sockets are tried again that another daemon's array
/// has only just let go of: the kernel takes it apart once no processor uses it any more.
const TRIES: u32 = 50;
const PAUSE: Duration = Duration::from_millis(2);

impl Net {
    /// Gives new connections to the socket of the worker that serves their lane, from now
    /// on and also while no daemon runs. `listeners` listen at one address with
    /// `SO_REUSEPORT`, each at the place of its worker; `workers` has the worker of each
    /// lane. Sockets of an earlier daemon are taken over.
    ///
    /// Needs kernel 4.19. Without, the kernel spreads connections by their hash, and it is
    /// for whoever accepts them to hand them over.
    ///
    /// # Errors
    /// The kernel refused the program, or the sockets don't share a port.
    pub fn steer(
        &mut self,
        listeners: &[impl AsFd],
        workers: [u32; LANES as usize],
    ) -> Result<(), LoadError> {
        let Some(first) = listeners.first() else {
            return Ok(());
        };
        if let Some(reason) = &self.no_steering {
            return Err(LoadError::Refused {
                what: format!("program {PROGRAM}"),
                reason: reason.clone(),
            });
        }
        let sockets = &self.maps.listeners;
        sockets.assign(workers)?;
        self.place(listeners).map_err(|source| LoadError::Map {
            map: ARRAY,
            operation: "write",
            source,
        })?;
        object::program::<SkReuseport>(&mut self.ebpf, PROGRAM)
            .and_then(|program| program.attach(first))
            .map_err(|error| LoadError::refused(format!("program {PROGRAM}"), &error))
    }

    fn place(&self, listeners: &[impl AsFd]) -> io::Result<()> {
        let mut tries = 0;
        loop {
            match self.maps.listeners.set(listeners) {
                Err(error) if error.raw_os_error() == Some(libc::EBUSY) && tries < TRIES => {
                    if tries == 0 {
                        self.release(listeners);
                    }
                    tries += 1;
                    std::thread::sleep(PAUSE);
                }
                result => return result,
            }
        }
    }

    /// Takes the sockets out of the array of a daemon of another ABI version, or of one
    /// that pinned nothing.
    fn release(&self, listeners: &[impl AsFd]) {
        for listener in listeners {
            // The program has the array. That there is none is as good.
            let _ = SkReuseport::detach(listener);
        }
        for pin in self.pins.iter().flat_map(|pins| pins.of_others(ARRAY)) {
            let Ok(data) = MapData::from_pin(pin) else {
                continue;
            };
            if let Ok(mut array) = ReusePortSockArray::try_from(Map::ReusePortSockArray(data)) {
                for place in 0..limits::WORKERS as u32 {
                    // Most places are empty.
                    let _ = array.clear_index(&place);
                }
            }
        }
    }
}
