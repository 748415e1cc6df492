use std::marker::PhantomData;

use aya::Pod;

use super::Raw;
use crate::LoadError;

/// An array: every index below its length has a record.
#[derive(Debug)]
pub struct Records<T> {
    raw: Raw,
    kind: PhantomData<T>,
}

impl<T: Pod> Records<T> {
    pub(crate) fn new(raw: Raw) -> Self {
        Self {
            raw,
            kind: PhantomData,
        }
    }

    /// How many records there are.
    #[must_use]
    pub fn len(&self) -> u32 {
        self.raw.max_entries
    }

    /// Never: an array has a fixed length.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// One record. Fails if there is no such index.
    pub fn get(&self, index: u32) -> Result<T, LoadError> {
        let mut value = super::raw::zeroed(1);
        if !self.raw.get(&index, &mut value)? {
            return Err(LoadError::Map {
                map: self.raw.name,
                operation: "read",
                source: std::io::Error::from_raw_os_error(libc::ENOENT),
            });
        }
        Ok(value[0])
    }

    /// Replaces one record.
    pub fn set(&self, index: u32, value: &T) -> Result<(), LoadError> {
        self.raw.set(&index, std::slice::from_ref(value))
    }

    /// Replaces many records in one call where the kernel can (5.6).
    pub fn set_many(&self, indices: &[u32], values: &[T]) -> Result<(), LoadError> {
        self.raw.set_many(indices, values)
    }

    /// Every record, in order.
    pub fn dump(&self) -> Result<Vec<T>, LoadError> {
        let mut all = super::raw::zeroed(self.len() as usize);
        self.raw.dump(1, |index: &u32, value: &[T]| {
            if let Some(place) = all.get_mut(*index as usize) {
                *place = value[0];
            }
        })?;
        Ok(all)
    }
}
