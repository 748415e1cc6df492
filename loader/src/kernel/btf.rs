//! Where this kernel keeps what in its structures, by its own account (BTF).

use std::ffi::{CStr, CString};
use std::ptr::NonNull;

use libbpf_sys::{btf_array, btf_enum, btf_member, btf_type};

/// The deepest nesting of structures without a name that is looked into.
const DEPTH: u32 = 8;

/// Types of a kernel. Dropping it frees them (the kernel's own take some 6 MB).
#[derive(Debug)]
pub(crate) struct Btf(NonNull<libbpf_sys::btf>);

/// A place in a structure: a type, and how far from the structure's beginning.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Field<'a> {
    btf: &'a Btf,
    id: u32,
    offset: u32,
}

impl Btf {
    /// Those of the running kernel; `None` without `CONFIG_DEBUG_INFO_BTF`.
    pub(crate) fn of_kernel() -> Option<Self> {
        // libbpf says on stderr what it cannot open, which is no news to us.
        // SAFETY: no arguments; what is returned is ours.
        let btf = unsafe {
            let before = libbpf_sys::libbpf_set_print(None);
            let btf = libbpf_sys::btf__load_vmlinux_btf();
            libbpf_sys::libbpf_set_print(before);
            btf
        };
        NonNull::new(btf).map(Self)
    }

    /// A structure by name.
    pub(crate) fn structure(&self, name: &str) -> Option<Field<'_>> {
        let id = self.id(name, libbpf_sys::BTF_KIND_STRUCT)?;
        Some(self.place(id, 0))
    }

    /// Whether there is a function of this name.
    pub(crate) fn has_function(&self, name: &str) -> bool {
        self.id(name, libbpf_sys::BTF_KIND_FUNC).is_some()
    }

    /// How many arguments a tracepoint has, the context before them not counted; `None` if
    /// there is no such tracepoint.
    pub(crate) fn tracepoint(&self, name: &str) -> Option<u32> {
        let id = self.id(&format!("btf_trace_{name}"), libbpf_sys::BTF_KIND_TYPEDEF)?;
        let pointer = self.get(reference(self.get(id)?))?;
        let prototype = self.get(reference(pointer))?;
        (kind(prototype) == libbpf_sys::BTF_KIND_FUNC_PROTO)
            .then(|| length(prototype).saturating_sub(1))
    }

    /// The value of an enumerator, whatever enumeration it is of.
    pub(crate) fn enumerator(&self, name: &str) -> Option<u32> {
        // SAFETY: a live object.
        let count = unsafe { libbpf_sys::btf__type_cnt(self.0.as_ptr()) };
        (1..count).find_map(|id| {
            let ty = self.get(id)?;
            let value = self
                .enumerators(ty)
                .iter()
                .find(|value| self.name(value.name_off) == name.as_bytes())?;
            u32::try_from(value.val).ok()
        })
    }

    fn id(&self, name: &str, kind: u32) -> Option<u32> {
        let name = CString::new(name).ok()?;
        // SAFETY: a live object and a string that ends with a zero.
        let id =
            unsafe { libbpf_sys::btf__find_by_name_kind(self.0.as_ptr(), name.as_ptr(), kind) };
        u32::try_from(id).ok()
    }

    fn place(&self, id: u32, offset: u32) -> Field<'_> {
        Field {
            btf: self,
            id,
            offset,
        }
    }

    fn get(&self, id: u32) -> Option<&btf_type> {
        // SAFETY: libbpf gives null or a type that lives as long as the object.
        unsafe { libbpf_sys::btf__type_by_id(self.0.as_ptr(), id).as_ref() }
    }

    /// Behind typedefs and qualifiers.
    fn resolved(&self, id: u32) -> Option<(u32, &btf_type)> {
        // SAFETY: a live object; any number is allowed.
        let id = unsafe { libbpf_sys::btf__resolve_type(self.0.as_ptr(), id) };
        let id = u32::try_from(id).ok()?;
        Some((id, self.get(id)?))
    }

    fn name(&self, offset: u32) -> &[u8] {
        // SAFETY: libbpf gives null or a string that lives as long as the object.
        unsafe {
            let name = libbpf_sys::btf__name_by_offset(self.0.as_ptr(), offset);
            if name.is_null() {
                return b"";
            }
            CStr::from_ptr(name).to_bytes()
        }
    }

    fn members<'a>(&'a self, ty: &'a btf_type) -> &'a [btf_member] {
        match kind(ty) {
            libbpf_sys::BTF_KIND_STRUCT | libbpf_sys::BTF_KIND_UNION => {
                // SAFETY: as many members as the type says follow it; libbpf has checked that
                // they are there.
                unsafe { following(ty, length(ty)) }
            }
            _ => &[],
        }
    }

    fn enumerators<'a>(&'a self, ty: &'a btf_type) -> &'a [btf_enum] {
        match kind(ty) {
            // SAFETY: as above.
            libbpf_sys::BTF_KIND_ENUM => unsafe { following(ty, length(ty)) },
            _ => &[],
        }
    }
}

impl Drop for Btf {
    fn drop(&mut self) {
        // SAFETY: ours, and not used after this.
        unsafe { libbpf_sys::btf__free(self.0.as_ptr()) }
    }
}

impl<'a> Field<'a> {
    /// Bytes from the beginning of the structure.
    pub(crate) fn offset(&self) -> u32 {
        self.offset
    }

    /// Bytes that it takes.
    pub(crate) fn size(&self) -> Option<u32> {
        // SAFETY: a live object; any number is allowed.
        let size = unsafe { libbpf_sys::btf__resolve_size(self.btf.0.as_ptr(), self.id) };
        u32::try_from(size).ok()
    }

    /// A member, also one of a structure or union without a name inside this one.
    pub(crate) fn member(&self, name: &str) -> Option<Self> {
        self.search(name, DEPTH)
    }

    /// An element of an array.
    pub(crate) fn element(&self, index: u32) -> Option<Self> {
        let (_, ty) = self.btf.resolved(self.id)?;
        if kind(ty) != libbpf_sys::BTF_KIND_ARRAY {
            return None;
        }
        // SAFETY: the array's description follows its type; libbpf has checked that.
        let array: &btf_array = unsafe { following(ty, 1) }.first()?;
        let first = self.btf.place(array.type_, self.offset);
        let offset = index.checked_mul(first.size()?)?;
        Some(
            self.btf
                .place(array.type_, self.offset.checked_add(offset)?),
        )
    }

    fn search(&self, name: &str, depth: u32) -> Option<Self> {
        let depth = depth.checked_sub(1)?;
        let (_, ty) = self.btf.resolved(self.id)?;
        let with_bits = ty.info >> 31 != 0;
        self.btf.members(ty).iter().find_map(|member| {
            let (bits, width) = if with_bits {
                (member.offset & 0x00ff_ffff, member.offset >> 24)
            } else {
                (member.offset, 0)
            };
            // A bit field has no address.
            if width != 0 || bits % 8 != 0 {
                return None;
            }
            let place = self
                .btf
                .place(member.type_, self.offset.checked_add(bits / 8)?);
            match self.btf.name(member.name_off) {
                b"" => place.search(name, depth),
                this => (this == name.as_bytes()).then_some(place),
            }
        })
    }
}

fn kind(ty: &btf_type) -> u32 {
    ty.info >> 24 & 0x1f
}

fn length(ty: &btf_type) -> u32 {
    ty.info & 0xffff
}

/// What a type refers to, if it is one that does.
fn reference(ty: &btf_type) -> u32 {
    // SAFETY: both are 32-bit integers.
    unsafe { ty.__bindgen_anon_1.type_ }
}

/// What follows a type.
///
/// # Safety
/// `count` values of this kind must follow it.
unsafe fn following<T>(ty: &btf_type, count: u32) -> &[T] {
    // SAFETY: the caller's promise.
    unsafe { std::slice::from_raw_parts(std::ptr::from_ref(ty).add(1).cast(), count as usize) }
}

#[cfg(test)]
pub(crate) mod build;
#[cfg(test)]
mod tests;
