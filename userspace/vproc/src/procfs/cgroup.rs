//! Which cgroup a process is in, as a number.
//!
//! The kernel's number of a cgroup (v2) is the inode number of its directory.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;

use rustc_hash::FxHashMap;

use super::parse::words;

/// Paths that are remembered; then all are forgotten, as cgroups come and go.
const REMEMBERED: usize = 10_000;

/// The path in `/proc/PID/cgroup` of the one hierarchy of version 2: "0::/path".
#[must_use]
pub fn unified_path(text: &[u8]) -> Option<&[u8]> {
    text.split(|byte| *byte == b'\n')
        .find_map(|line| line.strip_prefix(b"0::"))
}

/// Where `/proc/self/mountinfo` says that cgroup version 2 is mounted (proc_pid_mountinfo(5)):
/// the fifth word of a line whose file system, after a lone dash, is "cgroup2".
#[must_use]
pub fn mount_point(mountinfo: &[u8]) -> Option<PathBuf> {
    mountinfo.split(|byte| *byte == b'\n').find_map(|line| {
        let mut words = words(line);
        let point = words.nth(4)?;
        words.find(|word| *word == b"-")?;
        (words.next()? == b"cgroup2").then(|| PathBuf::from(OsStr::from_bytes(&unescaped(point))))
    })
}

/// Blanks are written as backslash and three octal digits.
fn unescaped(text: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&first, after)) = rest.split_first() {
        let digits = after.get(..3).filter(|_| first == b'\\');
        let code = digits
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|digits| u8::from_str_radix(digits, 8).ok());
        match code {
            Some(byte) => {
                plain.push(byte);
                rest = &after[3..];
            }
            None => {
                plain.push(first);
                rest = after;
            }
        }
    }
    plain
}

/// Numbers of cgroups by path.
#[derive(Debug, Default)]
pub(super) struct Cgroups {
    root: Option<PathBuf>,
    known: FxHashMap<Vec<u8>, u64>,
}

impl Cgroups {
    pub(super) fn new() -> Self {
        let mountinfo = fs::read("/proc/self/mountinfo").unwrap_or_default();
        Self {
            root: mount_point(&mountinfo),
            known: FxHashMap::default(),
        }
    }

    /// 0 if it can't be told.
    pub(super) fn number(&mut self, text: &[u8]) -> u64 {
        let (Some(root), Some(path)) = (&self.root, unified_path(text)) else {
            return 0;
        };
        if let Some(number) = self.known.get(path) {
            return *number;
        }
        let relative = path.strip_prefix(b"/").unwrap_or(path);
        let directory = root.join(OsStr::from_bytes(relative));
        let number = fs::metadata(directory).map_or(0, |of| of.ino());
        if self.known.len() >= REMEMBERED {
            self.known.clear();
        }
        self.known.insert(path.to_vec(), number);
        number
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_path_is_that_of_version_2(path in "/[a-z/:@.]{0,30}", first in any::<bool>()) {
            let text = if first {
                format!("0::{path}\n")
            } else {
                format!("2:cpu,cpuacct:/other\n0::{path}\n")
            };
            prop_assert_eq!(unified_path(text.as_bytes()), Some(path.as_bytes()));
        }

        #[test]
        fn the_mount_is_found_with_blanks_in_its_name(name in "[a-z \\\\]{1,12}", options in 0_usize..3) {
            let optional = "shared:4 ".repeat(options);
            let written = name.replace('\\', "\\134").replace(' ', "\\040");
            let text = format!(
                "22 27 0:20 / /proc rw - proc proc rw\n\
                 31 23 0:27 / /{written} rw,nosuid {optional}- cgroup2 cgroup2 rw\n"
            );
            prop_assert_eq!(mount_point(text.as_bytes()), Some(PathBuf::from(format!("/{name}"))));
        }

        #[test]
        fn anything_is_taken(text: Vec<u8>) {
            let _ = (unified_path(&text), mount_point(&text));
        }
    }

    #[test]
    fn version_1_alone_has_no_number() {
        assert_eq!(unified_path(b"3:memory:/a\n"), None);
        assert_eq!(
            mount_point(b"31 23 0:27 / /sys rw - cgroup cgroup rw\n"),
            None
        );
    }
}
