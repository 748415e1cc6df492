use std::marker::PhantomData;
use std::os::fd::{AsFd as _, BorrowedFd};

use aya::Pod;

use super::Raw;
use crate::LoadError;

/// A hash table, plain or LRU.
#[derive(Debug)]
pub struct Hash<K, V> {
    raw: Raw,
    kind: PhantomData<(K, V)>,
}

impl<K: Pod, V: Pod> Hash<K, V> {
    pub(crate) fn new(raw: Raw) -> Self {
        Self {
            raw,
            kind: PhantomData,
        }
    }

    pub(crate) fn as_fd(&self) -> BorrowedFd<'_> {
        self.raw.fd.as_fd()
    }

    /// How many entries there is room for.
    #[must_use]
    pub fn capacity(&self) -> u32 {
        self.raw.max_entries
    }

    /// The value of a key, if there is one.
    pub fn get(&self, key: &K) -> Result<Option<V>, LoadError> {
        let mut value = super::raw::zeroed(1);
        Ok(self.raw.get(key, &mut value)?.then(|| value[0]))
    }

    /// Sets the value of a key.
    pub fn insert(&self, key: &K, value: &V) -> Result<(), LoadError> {
        self.raw.set(key, std::slice::from_ref(value))
    }

    /// Sets the values of many keys in one call where the kernel can (5.6).
    pub fn insert_many(&self, keys: &[K], values: &[V]) -> Result<(), LoadError> {
        self.raw.set_many(keys, values)
    }

    /// Removes a key; whether it was there.
    pub fn remove(&self, key: &K) -> Result<bool, LoadError> {
        self.raw.remove(key)
    }

    /// Removes many keys in one call where the kernel can (5.6); missing ones are skipped.
    pub fn remove_many(&self, keys: &[K]) -> Result<(), LoadError> {
        self.raw.remove_many(keys)
    }

    /// Shows every entry. While the programs write, an entry may show twice or not at all.
    pub fn for_each(&self, mut each: impl FnMut(&K, &V)) -> Result<(), LoadError> {
        self.raw.dump(1, |key, value: &[V]| each(key, &value[0]))
    }

    /// Every entry; see [`Self::for_each`].
    pub fn dump(&self) -> Result<Vec<(K, V)>, LoadError> {
        let mut all = Vec::new();
        self.for_each(|key, value| all.push((*key, *value)))?;
        Ok(all)
    }
}
