//! Map operations by file descriptor: `bpf(2)` through libbpf. All unsafe code about
//! maps that are not mmapped is here.

use std::ffi::c_void;
use std::io;
use std::os::fd::{AsRawFd as _, OwnedFd};

use aya::Pod;

use crate::LoadError;

/// A map, by file descriptor, with sizes known to be right.
#[derive(Debug)]
pub(crate) struct Raw {
    pub(crate) name: &'static str,
    pub(crate) fd: OwnedFd,
    pub(crate) max_entries: u32,
}

impl Raw {
    fn error(&self, operation: &'static str, source: io::Error) -> LoadError {
        LoadError::Map {
            map: self.name,
            operation,
            source,
        }
    }

    fn done(&self, operation: &'static str, result: i32) -> Result<(), LoadError> {
        if result == 0 {
            Ok(())
        } else {
            Err(self.error(operation, io::Error::last_os_error()))
        }
    }

    pub(crate) fn fd(&self) -> i32 {
        self.fd.as_raw_fd()
    }

    /// `Ok(false)`: there is no such key.
    pub(crate) fn get<K: Pod, V: Pod>(&self, key: &K, value: &mut [V]) -> Result<bool, LoadError> {
        // SAFETY: key and value have the sizes the map was made with (checked when the
        // handle was made); for per-CPU maps the slice has one value for each possible CPU.
        let result = unsafe {
            libbpf_sys::bpf_map_lookup_elem(
                self.fd(),
                std::ptr::from_ref(key).cast(),
                value.as_mut_ptr().cast(),
            )
        };
        if result == 0 {
            return Ok(true);
        }
        match io::Error::last_os_error() {
            error if error.raw_os_error() == Some(libc::ENOENT) => Ok(false),
            error => Err(self.error("read", error)),
        }
    }

    /// Puts a socket in by its descriptor.
    pub(crate) fn put<K: Pod>(&self, key: &K, descriptor: &u32) -> io::Result<()> {
        // SAFETY: as in `get`; sockets go in as 32-bit descriptors.
        let result = unsafe {
            libbpf_sys::bpf_map_update_elem(
                self.fd(),
                std::ptr::from_ref(key).cast(),
                std::ptr::from_ref(descriptor).cast(),
                0,
            )
        };
        succeeded(result)
    }

    /// Takes out what a key has.
    pub(crate) fn take_out<K: Pod>(&self, key: &K) -> io::Result<()> {
        // SAFETY: as in `get`.
        let result =
            unsafe { libbpf_sys::bpf_map_delete_elem(self.fd(), std::ptr::from_ref(key).cast()) };
        succeeded(result)
    }

    pub(crate) fn set<K: Pod, V: Pod>(&self, key: &K, value: &[V]) -> Result<(), LoadError> {
        // SAFETY: as in `get`.
        let result = unsafe {
            libbpf_sys::bpf_map_update_elem(
                self.fd(),
                std::ptr::from_ref(key).cast(),
                value.as_ptr().cast(),
                0,
            )
        };
        self.done("write", result)
    }

    /// `Ok(false)`: there was no such key.
    pub(crate) fn remove<K: Pod>(&self, key: &K) -> Result<bool, LoadError> {
        // SAFETY: as in `get`.
        let result =
            unsafe { libbpf_sys::bpf_map_delete_elem(self.fd(), std::ptr::from_ref(key).cast()) };
        if result == 0 {
            return Ok(true);
        }
        match io::Error::last_os_error() {
            error if error.raw_os_error() == Some(libc::ENOENT) => Ok(false),
            error => Err(self.error("remove", error)),
        }
    }

    /// Many at once (kernel 5.6), else one by one.
    pub(crate) fn set_many<K: Pod, V: Pod>(
        &self,
        keys: &[K],
        values: &[V],
    ) -> Result<(), LoadError> {
        assert_eq!(keys.len(), values.len(), "one value for each key");
        let mut count = keys.len() as u32;
        if count == 0 {
            return Ok(());
        }
        // SAFETY: both slices hold `count` elements of the map's sizes.
        let result = unsafe {
            libbpf_sys::bpf_map_update_batch(
                self.fd(),
                keys.as_ptr().cast(),
                values.as_ptr().cast(),
                &raw mut count,
                std::ptr::null(),
            )
        };
        if result == 0 {
            return Ok(());
        }
        for (key, value) in keys.iter().zip(values) {
            self.set(key, std::slice::from_ref(value))?;
        }
        Ok(())
    }

    /// Many at once (kernel 5.6), else one by one. Missing keys are not an error.
    pub(crate) fn remove_many<K: Pod>(&self, keys: &[K]) -> Result<(), LoadError> {
        let mut count = keys.len() as u32;
        if count == 0 {
            return Ok(());
        }
        // SAFETY: the slice holds `count` keys of the map's size.
        let result = unsafe {
            libbpf_sys::bpf_map_delete_batch(
                self.fd(),
                keys.as_ptr().cast(),
                &raw mut count,
                std::ptr::null(),
            )
        };
        if result == 0 {
            return Ok(());
        }
        // The kernel stops at the first missing key.
        for key in &keys[(count as usize).min(keys.len())..] {
            self.remove(key)?;
        }
        Ok(())
    }

    /// Everything, by batches (kernel 5.6), else key by key. A table that changes
    /// meanwhile may show an entry twice or not at all.
    pub(crate) fn dump<K: Pod, V: Pod>(
        &self,
        per_key: usize,
        mut each: impl FnMut(&K, &[V]),
    ) -> Result<(), LoadError> {
        const CHUNK: usize = 4096;
        // The position is opaque: 4 bytes for tables, a key for arrays of keys.
        let (mut from, mut to) = ([0_u8; 64], [0_u8; 64]);
        let mut chunk = CHUNK.min(self.max_entries as usize).max(1);
        let mut keys = zeroed::<K>(chunk);
        let mut values = zeroed::<V>(chunk * per_key);
        let mut first = true;
        loop {
            let mut count = chunk as u32;
            // SAFETY: room for `count` keys and values; `from` and `to` are larger than
            // any position.
            let result = unsafe {
                libbpf_sys::bpf_map_lookup_batch(
                    self.fd(),
                    if first {
                        std::ptr::null_mut()
                    } else {
                        from.as_mut_ptr().cast::<c_void>()
                    },
                    to.as_mut_ptr().cast(),
                    keys.as_mut_ptr().cast(),
                    values.as_mut_ptr().cast(),
                    &raw mut count,
                    std::ptr::null(),
                )
            };
            let error = (result != 0).then(io::Error::last_os_error);
            match error.as_ref().and_then(io::Error::raw_os_error) {
                None | Some(libc::ENOENT) => {}
                Some(libc::ENOSPC) => {
                    // A bucket is longer than the chunk.
                    chunk *= 2;
                    keys = zeroed(chunk);
                    values = zeroed(chunk * per_key);
                    continue;
                }
                Some(libc::EINVAL | libc::ENOTSUP) if first => return self.walk(per_key, each),
                Some(_) => return Err(self.error("read", error.expect("matched"))),
            }
            for (key, value) in keys
                .iter()
                .zip(values.chunks_exact(per_key))
                .take(count as usize)
            {
                each(key, value);
            }
            if error.is_some() {
                return Ok(());
            }
            from = to;
            first = false;
        }
    }

    fn walk<K: Pod, V: Pod>(
        &self,
        per_key: usize,
        mut each: impl FnMut(&K, &[V]),
    ) -> Result<(), LoadError> {
        let mut key = zeroed::<K>(1);
        let mut next = zeroed::<K>(1);
        let mut value = zeroed::<V>(per_key);
        let mut from = std::ptr::null();
        loop {
            // SAFETY: both are keys of the map's size.
            let result = unsafe {
                libbpf_sys::bpf_map_get_next_key(self.fd(), from, next.as_mut_ptr().cast())
            };
            if result != 0 {
                return match io::Error::last_os_error() {
                    error if error.raw_os_error() == Some(libc::ENOENT) => Ok(()),
                    error => Err(self.error("read", error)),
                };
            }
            key[0] = next[0];
            from = key.as_ptr().cast();
            if self.get(&key[0], &mut value)? {
                each(&key[0], &value);
            }
        }
    }
}

fn succeeded(result: i32) -> io::Result<()> {
    if result == 0 {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}

/// Room for `n` values, as zeroes.
pub(crate) fn zeroed<T: Pod>(n: usize) -> Vec<T> {
    // SAFETY: `Pod` types are plain integers, for which zero is a value.
    vec![unsafe { std::mem::zeroed() }; n]
}

/// How many values a per-CPU map has for each key.
pub fn possible_cpus() -> usize {
    aya::util::nr_cpus().unwrap_or(1)
}
