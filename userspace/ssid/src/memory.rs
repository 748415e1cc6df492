//! How much memory this process has, and giving back what it no longer needs.

use std::ffi::c_void;
use std::fs;
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

/// Has all threads get their memory from the same place, instead of each from one of its own
/// that keeps what it has freed. Few of them allocate much, and seldom at once. To be called
/// before there are other threads.
pub(crate) fn share() {
    #[cfg(target_env = "gnu")]
    // SAFETY: no pointers, and no other thread that allocates meanwhile.
    unsafe {
        libc::mallopt(libc::M_ARENA_MAX, 1);
    }
}

/// Gives freed memory back to the system. Loading (the kernel's BTF) and large requests
/// need megabytes for a moment, which the C library would keep, and most pages of the program
/// and its libraries are needed once: what runs on is there again at its next use.
pub(crate) fn give_back() {
    let_go_of_code();
    #[cfg(target_env = "gnu")]
    // SAFETY: malloc_trim takes no pointers and may be called at any time by any thread.
    unsafe {
        libc::malloc_trim(0);
    }
}

/// Unmaps the pages of files that hold code and constants, the program's and its libraries';
/// they stay in the page cache, and come back when they are next used.
fn let_go_of_code() {
    let Ok(maps) = fs::read_to_string("/proc/self/smaps") else {
        return;
    };
    for (begin, end) in unwritten(&maps) {
        if let Some(at) = NonNull::new(std::ptr::without_provenance_mut::<c_void>(begin)) {
            // SAFETY: pages of a private mapping of a file that nobody has ever written to:
            // none is this process's own, and none can be written. So what is in them is what
            // is in the file. (The linker's relocations go to other mappings, which are made
            // read-only afterwards and whose pages are this process's own.)
            let _ = unsafe { madvise(at, end - begin, MmapAdvise::MADV_DONTNEED) };
        }
    }
}

/// The ranges of `/proc/self/smaps` that are of a file, private, can't be written, and have
/// no page that was written to before.
fn unwritten(smaps: &str) -> Vec<(usize, usize)> {
    let (mut ranges, mut last) = (Vec::new(), None);
    for line in smaps.lines() {
        if let Some(found) = mapping(line) {
            last = found;
        } else if let Some(anonymous) = line.strip_prefix("Anonymous:") {
            let own = anonymous.split_ascii_whitespace().next();
            ranges.extend(last.take().filter(|_| own == Some("0")));
        }
    }
    ranges
}

/// Whether a line begins a mapping; if it is a file's, private, and can't be written, where
/// it is.
#[expect(
    clippy::option_option,
    reason = "a mapping that is none of those is one too"
)]
fn mapping(line: &str) -> Option<Option<(usize, usize)>> {
    let mut fields = line.split_ascii_whitespace();
    let (begin, end) = fields.next()?.split_once('-')?;
    let number = |text| usize::from_str_radix(text, 16).ok();
    let range = (number(begin)?, number(end)?);
    let access = fields.next()?;
    let of = fields.nth(2)?.parse::<u64>().ok()?;
    let plain = of != 0 && (access == "r-xp" || access == "r--p");
    Some(plain.then_some(range))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_never_written_is_let_go_of() {
        let smaps = |access, inode, own| {
            format!(
                "55d0c0000000-55d0c0800000 {access} 006f0000 fe:00 {inode}   /usr/sbin/ssid\n\
                 Size:               8192 kB\nRss:                1200 kB\n\
                 Anonymous:          {own:>6} kB\nVmFlags: rd ex mr mw me\n"
            )
        };
        let range = (0x55d0_c000_0000, 0x55d0_c080_0000);
        let good = smaps("r-xp", 7, 0);
        assert_eq!(unwritten(&good), [range]);
        assert_eq!(unwritten(&smaps("r--p", 7, 0)), [range]);
        for other in [
            smaps("r--p", 7, 4),
            smaps("rw-p", 7, 0),
            smaps("r--s", 7, 0),
            smaps("r-xp", 0, 0),
            String::new(),
        ] {
            assert_eq!(unwritten(&other), [], "{other}");
            assert_eq!(unwritten(&(other + &good)), [range]);
        }
        // And it goes on.
        let_go_of_code();
        assert!(resident() > 0);
    }
}
