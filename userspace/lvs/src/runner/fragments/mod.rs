//! Fragments that came before their first one, sent after it.

mod build;
mod wire;

use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::Instant;

use ssi_abi::fragment::HELD_FRAME;
use ssi_abi::server::{Server, flag, server_generation, server_index};
use ssi_loader::Net;
use ssi_loader::map::{Held as Ring, Maps};
use tracing::{debug, warn};

use super::error::LvsError;
use crate::core::hold::{Frame, Hold};
use wire::Wire;

/// The fragments being held, and where to send them.
#[derive(Debug)]
pub struct Held {
    ring: Ring,
    hold: Hold,
    maps: Arc<Maps>,
    wire: Wire,
}

impl Held {
    /// Takes over the ring of held fragments.
    ///
    /// # Errors
    /// No right to open a packet socket.
    pub fn new(ring: Ring, maps: Arc<Maps>) -> Result<Self, LvsError> {
        let wire = Wire::open().map_err(|source| LvsError::System {
            what: "open a packet socket",
            source,
        })?;
        Ok(Self {
            ring,
            hold: Hold::default(),
            maps,
            wire,
        })
    }

    /// A descriptor that is readable when there is something to take.
    ///
    /// # Errors
    /// Too many open files.
    pub fn readable(&self) -> io::Result<OwnedFd> {
        use std::os::fd::AsFd as _;
        self.ring.as_fd().try_clone_to_owned()
    }

    /// Takes what came and sends what can be sent; whether anything is still held: then
    /// call again in a few milliseconds.
    ///
    /// # Errors
    /// The maps can't be read.
    pub fn run(&mut self, net: &mut Net) -> Result<bool, LvsError> {
        let now = Instant::now();
        while let Some(held) = self.ring.take() {
            let len = (held.len as usize).min(HELD_FRAME);
            let frame = Frame {
                ifindex: held.ifindex,
                bytes: held.frame[..len].to_vec(),
            };
            if !self.hold.keep(held.key, frame, now) {
                debug!("a fragment was dropped: as many are held as there is room for");
            }
        }
        let keys: Vec<_> = self.hold.keys().copied().collect();
        for key in keys {
            if let Some(first) = self.maps.fragments.get(&key)? {
                let server = self.server(first.server)?;
                for frame in self.hold.release(&key) {
                    self.send(frame, server.as_ref(), net);
                }
            }
        }
        let late = self.hold.expire(now);
        if late > 0 {
            debug!("{late} fragments were dropped: their first did not come");
        }
        Ok(!self.hold.is_empty())
    }

    /// The server that has the first fragment; none: this node's own stack.
    fn server(&self, reference: u32) -> Result<Option<Server>, LvsError> {
        if reference == 0 {
            return Ok(None);
        }
        let server = self.maps.servers.get(server_index(reference))?;
        let same = server.generation == server_generation(reference) && server.service != 0;
        Ok(same.then_some(server))
    }

    fn send(&self, frame: Frame, server: Option<&Server>, net: &mut Net) {
        let sent = match server {
            Some(server) if server.flags & flag::LOCAL == 0 => {
                match build::towards(&frame.bytes, server) {
                    Some(bytes) => self
                        .wire
                        .send(&bytes, server.ifindex)
                        .map_err(LvsError::from),
                    None => {
                        return debug!(
                            "a held fragment could not be sent on: no way to its server"
                        );
                    }
                }
            }
            // The program knows by now where its first went: to the stack.
            _ => net
                .deliver(&frame.bytes, frame.ifindex)
                .map_err(LvsError::from),
        };
        if let Err(error) = sent {
            warn!("a held fragment could not be sent on: {error}");
        }
    }
}
