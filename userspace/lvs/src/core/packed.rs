use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use miniz_oxide::deflate::compress_to_vec_zlib;
use miniz_oxide::inflate::decompress_to_vec_zlib_with_limit;
use serde::{Deserialize, Serialize};
use ssi_abi::table::SLOTS;
use thiserror::Error;

/// Bytes of a table before it is packed: 16 bits for each current owner, then for each
/// previous one.
const BYTES: usize = SLOTS as usize * 4;
/// Tables repeat themselves with the period of their servers; the quickest level sees it.
const LEVEL: u8 = 1;

/// A packed slot table makes no sense.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Damaged {
    /// It is not what the packing makes.
    #[error("a slot table is damaged")]
    Packing,
    /// A slot's current owner is its previous one, too.
    #[error("a slot has server {0} as both its owners")]
    Twice(u16),
    /// A slot belongs to a server that the service does not have.
    #[error("a slot belongs to server {0}, of {1} that there are")]
    Owner(u16, usize),
}

/// A service's slots with their owners, packed for the disk and for other nodes. Owners
/// are named by their places in the service's list of servers, from 1; 0 is nobody.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Packed(Vec<u8>);

impl Packed {
    /// Packs the owners of all slots, each current and previous.
    #[must_use]
    pub fn new(owners: &[(u16, u16)]) -> Self {
        debug_assert_eq!(owners.len(), SLOTS as usize);
        let current = owners.iter().map(|(current, _)| *current);
        let previous = owners.iter().map(|(_, previous)| *previous);
        let bytes: Vec<u8> = current.chain(previous).flat_map(u16::to_le_bytes).collect();
        Self(compress_to_vec_zlib(&bytes, LEVEL))
    }

    /// The owners of all slots, each current and previous, of a service with so many
    /// servers.
    ///
    /// # Errors
    /// [`Damaged`]; no more memory is used than a table takes.
    pub fn owners(&self, servers: usize) -> Result<Vec<(u16, u16)>, Damaged> {
        let bytes =
            decompress_to_vec_zlib_with_limit(&self.0, BYTES).map_err(|_| Damaged::Packing)?;
        if bytes.len() != BYTES {
            return Err(Damaged::Packing);
        }
        let (current, previous) = bytes.split_at(BYTES / 2);
        let owner = |bytes: &[u8]| u16::from_le_bytes([bytes[0], bytes[1]]);
        let pairs = current.chunks_exact(2).zip(previous.chunks_exact(2));
        pairs
            .map(|(current, previous)| {
                let pair = (owner(current), owner(previous));
                if pair.0 == pair.1 && pair.0 != 0 {
                    return Err(Damaged::Twice(pair.0));
                }
                match [pair.0, pair.1]
                    .into_iter()
                    .find(|o| usize::from(*o) > servers)
                {
                    Some(stranger) => Err(Damaged::Owner(stranger, servers)),
                    None => Ok(pair),
                }
            })
            .collect()
    }

    /// How many bytes it takes.
    #[must_use]
    pub fn size(&self) -> usize {
        self.0.len()
    }
}

impl fmt::Debug for Packed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Packed({} bytes)", self.size())
    }
}

impl TryFrom<String> for Packed {
    type Error = base64::DecodeError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        STANDARD.decode(text).map(Self)
    }
}

impl From<Packed> for String {
    fn from(packed: Packed) -> Self {
        STANDARD.encode(packed.0)
    }
}
