//! How much memory this process has, and giving back what it no longer needs.

use std::ffi::c_void;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::ptr::NonNull;

use nix::sys::mman::{MmapAdvise, madvise};

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
/// need megabytes for a moment, which the C library would keep, and most of the program's
/// own pages are needed once: what runs on is there again at its next use.
pub(crate) fn give_back() {
    let_go_of_code();
    #[cfg(target_env = "gnu")]
    // SAFETY: malloc_trim takes no pointers and may be called at any time by any thread.
    unsafe {
        libc::malloc_trim(0);
    }
}

/// Unmaps the pages of the program's own file that hold code and constants; they stay in the
/// page cache, and come back when they are next used.
fn let_go_of_code() {
    let (Ok(own), Ok(maps)) = (
        fs::metadata("/proc/self/exe"),
        fs::read_to_string("/proc/self/maps"),
    ) else {
        return;
    };
    for (begin, end) in maps.lines().filter_map(|line| code(line, own.ino())) {
        if let Some(at) = NonNull::new(std::ptr::without_provenance_mut::<c_void>(begin)) {
            // SAFETY: pages of a private mapping of a file that nobody has ever written to,
            // as it can't be written: what is in them is what is in the file. (The linker's
            // relocations go to another mapping, which is made read-only afterwards.)
            let _ = unsafe { madvise(at, end - begin, MmapAdvise::MADV_DONTNEED) };
        }
    }
}

/// The range of a line of `/proc/self/maps`, if it is of the file with this inode, and code,
/// or the constants that the file begins with.
fn code(line: &str, inode: u64) -> Option<(usize, usize)> {
    let mut fields = line.split_ascii_whitespace();
    let (range, access, offset) = (fields.next()?, fields.next()?, fields.next()?);
    let of = fields.nth(1)?.parse::<u64>().ok()?;
    let constants = access == "r--p" && offset.bytes().all(|digit| digit == b'0');
    if of != inode || !(access == "r-xp" || constants) {
        return None;
    }
    let (begin, end) = range.split_once('-')?;
    Some((
        usize::from_str_radix(begin, 16).ok()?,
        usize::from_str_radix(end, 16).ok()?,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_never_written_is_let_go_of() {
        let line = |access, offset, inode| {
            format!("55d0c0000000-55d0c0800000 {access} {offset} fe:00 {inode}   /usr/sbin/ssid")
        };
        let range = Some((0x55d0_c000_0000, 0x55d0_c080_0000));
        assert_eq!(code(&line("r-xp", "006f0000", 7), 7), range);
        assert_eq!(code(&line("r--p", "00000000", 7), 7), range);
        for other in [
            line("r--p", "01300000", 7),
            line("rw-p", "01350000", 7),
            line("r-xp", "006f0000", 8),
            "7ffd0000-7ffe0000 r-xp 00000000 00:00 0 [vdso]".to_owned(),
            String::new(),
        ] {
            assert_eq!(code(&other, 7), None, "{other}");
        }
        // And it goes on.
        let_go_of_code();
        assert!(resident() > 0);
    }
}
