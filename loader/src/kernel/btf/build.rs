//! Types made up for tests.

use std::ffi::CString;
use std::ptr::NonNull;

use super::Btf;

/// BTF in the making. Types are known by their numbers.
#[derive(Debug)]
pub(crate) struct Builder(Btf);

impl Builder {
    pub(crate) fn new() -> Self {
        // SAFETY: no arguments; what is returned is ours.
        let btf = unsafe { libbpf_sys::btf__new_empty() };
        Self(Btf(NonNull::new(btf).expect("memory")))
    }

    pub(crate) fn done(self) -> Btf {
        self.0
    }

    /// An unsigned integer.
    pub(crate) fn int(&mut self, name: &str, size: u32) -> u32 {
        let name = string(name);
        self.add(|btf| {
            // SAFETY: a live object and a string that ends with a zero; so below.
            unsafe { libbpf_sys::btf__add_int(btf, name.as_ptr(), size as _, 0) }
        })
    }

    pub(crate) fn pointer(&mut self, to: u32) -> u32 {
        // SAFETY: as above.
        self.add(|btf| unsafe { libbpf_sys::btf__add_ptr(btf, to as i32) })
    }

    pub(crate) fn typedef(&mut self, name: &str, of: u32) -> u32 {
        let name = string(name);
        // SAFETY: as above.
        self.add(|btf| unsafe { libbpf_sys::btf__add_typedef(btf, name.as_ptr(), of as i32) })
    }

    pub(crate) fn array(&mut self, index: u32, of: u32, length: u32) -> u32 {
        // SAFETY: as above.
        self.add(|btf| unsafe { libbpf_sys::btf__add_array(btf, index as i32, of as i32, length) })
    }

    /// Members: name, type, offset in bits, width in bits (0: no bit field).
    pub(crate) fn structure(
        &mut self,
        name: &str,
        size: u32,
        members: &[(&str, u32, u32, u32)],
    ) -> u32 {
        let name = string(name);
        let id = self.add(|btf| {
            // SAFETY: as above.
            unsafe { libbpf_sys::btf__add_struct(btf, name.as_ptr(), size) }
        });
        self.fill(members);
        id
    }

    /// A union without a name.
    pub(crate) fn union(&mut self, size: u32, members: &[(&str, u32, u32, u32)]) -> u32 {
        let name = string("");
        let id = self.add(|btf| {
            // SAFETY: as above.
            unsafe { libbpf_sys::btf__add_union(btf, name.as_ptr(), size) }
        });
        self.fill(members);
        id
    }

    pub(crate) fn enumeration(&mut self, name: &str, values: &[(&str, i64)]) -> u32 {
        let name = string(name);
        // SAFETY: as above.
        let id = self.add(|btf| unsafe { libbpf_sys::btf__add_enum(btf, name.as_ptr(), 4) });
        for (name, value) in values {
            let name = string(name);
            self.add(|btf| {
                // SAFETY: as above; it belongs to the type added last.
                unsafe { libbpf_sys::btf__add_enum_value(btf, name.as_ptr(), *value) }
            });
        }
        id
    }

    /// A tracepoint with so many arguments.
    pub(crate) fn tracepoint(&mut self, name: &str, arguments: u32, of: u32) {
        // SAFETY: as above.
        let prototype = self.add(|btf| unsafe { libbpf_sys::btf__add_func_proto(btf, 0) });
        for _ in 0..=arguments {
            let name = string("");
            self.add(|btf| {
                // SAFETY: as above; it belongs to the type added last.
                unsafe { libbpf_sys::btf__add_func_param(btf, name.as_ptr(), of as i32) }
            });
        }
        let pointer = self.pointer(prototype);
        self.typedef(&format!("btf_trace_{name}"), pointer);
    }

    fn fill(&mut self, members: &[(&str, u32, u32, u32)]) {
        for (name, of, offset, width) in members {
            let name = string(name);
            self.add(|btf| {
                // SAFETY: as above; it belongs to the type added last.
                unsafe {
                    libbpf_sys::btf__add_field(btf, name.as_ptr(), *of as i32, *offset, *width)
                }
            });
        }
    }

    fn add(&mut self, add: impl FnOnce(*mut libbpf_sys::btf) -> i32) -> u32 {
        let done = add(self.0.0.as_ptr());
        u32::try_from(done).unwrap_or_else(|_| panic!("libbpf refused a type: {done}"))
    }
}

fn string(text: &str) -> CString {
    CString::new(text).expect("no zero")
}
