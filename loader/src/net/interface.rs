//! What an interface is.

use std::path::Path;

/// Whether the interface is a device with a driver of its own, as opposed to a veth, a
/// bridge, the loopback …: those have no `device` link in sysfs.
pub(super) fn is_device(name: &str) -> bool {
    Path::new("/sys/class/net")
        .join(name)
        .join("device")
        .exists()
}

/// Whether there is such an interface in this network namespace.
pub(super) fn exists(name: &str) -> bool {
    nametoindex(name).is_some()
}

fn nametoindex(name: &str) -> Option<u32> {
    let name = std::ffi::CString::new(name).ok()?;
    // SAFETY: a valid C string.
    match unsafe { libc::if_nametoindex(name.as_ptr()) } {
        0 => None,
        index => Some(index),
    }
}
