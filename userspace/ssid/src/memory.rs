//! How much memory this process has, and giving back what it no longer needs.

use std::fs;

/// Resident memory, bytes (`/proc/self/statm`, its second field in pages).
pub(crate) fn resident() -> u64 {
    let pages = fs::read_to_string("/proc/self/statm")
        .ok()
        .and_then(|statm| statm.split(' ').nth(1)?.parse::<u64>().ok());
    pages.unwrap_or(0) * page_size()
}

fn page_size() -> u64 {
    nix::unistd::sysconf(nix::unistd::SysconfVar::PAGE_SIZE)
        .ok()
        .flatten()
        .and_then(|size| size.try_into().ok())
        .unwrap_or(4096)
}

/// Gives freed memory back to the system. Loading (the kernel's BTF) and large requests
/// need megabytes for a moment, which the C library would keep.
pub(crate) fn give_back() {
    #[cfg(target_env = "gnu")]
    // SAFETY: malloc_trim takes no pointers and may be called at any time by any thread.
    unsafe {
        libc::malloc_trim(0);
    }
}
