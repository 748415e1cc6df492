//! What /proc of this machine says of a process, read on behalf of a user: with the rights
//! that the user has here, though this process may have more.

use std::fs;
use std::io::{self, Read as _};
use std::os::unix::ffi::OsStringExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use rustix::thread::set_thread_groups;
use rustix::thread::{CapabilitySet, CapabilitySets, capabilities, set_capabilities};
use ssi_api::process::{Bytes, Look, Looked, ProcFile, Reader, Seen};

use crate::apart::apart;
use crate::hold::tick;
use crate::procfs::Stat;

/// Most bytes of a file: the maps of a process that has tens of thousands of mappings.
const MOST: u64 = 8 << 20;

/// Looks at process `pid`; what it has is not told but to whom the kernel would.
#[must_use]
pub fn look(pid: u32, what: Look, reader: Reader) -> Looked {
    let see = move || see(pid, what).unwrap_or_else(|error| refused(&error));
    if reader.uid == 0 {
        return see();
    }
    // To the kernel, a thread that looks at its own process needs no rights.
    if pid == std::process::id() && !is_open(what) {
        return Looked::Refused(libc::EACCES);
    }
    let seen = apart(move || {
        become_reader(reader)?;
        Ok(see())
    });
    seen.unwrap_or_else(|error| refused(&error))
}

/// What everybody may see of the processes with numbers above `after`, as far as the reader may
/// see them at all: as many as have about `most` bytes. Also whether there are more.
///
/// # Errors
/// /proc can't be read; the reader's rights can't be taken.
pub fn sweep(after: u32, reader: Reader, most: usize) -> io::Result<(Vec<Seen>, bool)> {
    let mut left = pids()?;
    left.drain(..left.partition_point(|pid| *pid <= after));
    if reader.uid == 0 {
        return Ok(sweep_all(&left, most));
    }
    apart(move || {
        become_reader(reader)?;
        Ok(sweep_all(&left, most))
    })
}

fn sweep_all(pids: &[u32], most: usize) -> (Vec<Seen>, bool) {
    let (mut all, mut bytes) = (Vec::new(), 0);
    for pid in pids {
        if bytes > most {
            return (all, true);
        }
        // Who has ended meanwhile is not there, nor is who is hidden from the reader.
        if let Ok(seen) = see_all(*pid) {
            bytes += [&seen.stat, &seen.statm, &seen.status, &seen.cmdline]
                .iter()
                .map(|file| file.0.len())
                .sum::<usize>();
            all.push(seen);
        }
    }
    (all, false)
}

fn see_all(pid: u32) -> io::Result<Seen> {
    let process = PathBuf::from(format!("/proc/{pid}"));
    let owner = fs::metadata(&process)?;
    let mut seen = Seen {
        pid,
        uid: owner.uid(),
        gid: owner.gid(),
        ..Seen::default()
    };
    for file in Seen::FILES {
        if let Some(place) = seen.file(file) {
            *place = Bytes(contents(&process.join(file.name()))?);
        }
    }
    Ok(seen)
}

/// All pids of this machine, in order.
///
/// # Errors
/// /proc can't be read.
pub fn pids() -> io::Result<Vec<u32>> {
    numbers(Path::new("/proc"))
}

/// This thread sees files as that user would.
///
/// Only the rights to files change, and what is more than a user's is laid down. The user and
/// the group as such stay: else the user could send signals to this thread, and so to all of
/// this process.
fn become_reader(reader: Reader) -> io::Result<()> {
    set_thread_groups(&[])?;
    // SAFETY: these take numbers only, and change nothing but this thread.
    unsafe {
        libc::setfsgid(reader.gid);
        libc::setfsuid(reader.uid);
    }
    let permitted = capabilities(None)?.permitted;
    let none = CapabilitySets {
        effective: CapabilitySet::empty(),
        permitted,
        inheritable: CapabilitySet::empty(),
    };
    set_capabilities(None, none)?;
    // They tell what it was before, not whether it worked: nobody has the number -1.
    // SAFETY: as above.
    let (uid, gid) = unsafe { (libc::setfsuid(u32::MAX), libc::setfsgid(u32::MAX)) };
    let is = |now: i32, wanted: u32| now.cast_unsigned() == wanted;
    if is(uid, reader.uid) && is(gid, reader.gid) {
        return Ok(());
    }
    Err(io::ErrorKind::PermissionDenied.into())
}

fn see(pid: u32, what: Look) -> io::Result<Looked> {
    let process = PathBuf::from(format!("/proc/{pid}"));
    Ok(match what {
        Look::Attributes => attributes(&process)?,
        Look::File(file) => Looked::Bytes(Bytes(contents(&process.join(file.name()))?)),
        Look::Link(link) => target(&process.join(link.name()))?,
        Look::Descriptors => Looked::Descriptors(numbers(&process.join("fd"))?),
        Look::Descriptor(number) => target(&process.join(format!("fd/{number}")))?,
    })
}

fn attributes(process: &Path) -> io::Result<Looked> {
    let owner = fs::metadata(process)?;
    let stat = Stat::parse(&fs::read(process.join("stat"))?);
    let stat = stat.ok_or_else(|| io::Error::from_raw_os_error(libc::EIO))?;
    Ok(Looked::Attributes {
        uid: owner.uid(),
        gid: owner.gid(),
        start: stat.start * tick(),
    })
}

fn contents(file: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    fs::File::open(file)?.take(MOST).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn target(link: &Path) -> io::Result<Looked> {
    let leads = fs::read_link(link)?;
    Ok(Looked::Bytes(Bytes(leads.into_os_string().into_vec())))
}

/// The entries of a directory that are numbers, in order.
fn numbers(directory: &Path) -> io::Result<Vec<u32>> {
    let mut numbers = Vec::new();
    for entry in fs::read_dir(directory)? {
        let name = entry?.file_name();
        numbers.extend(name.to_str().and_then(|name| name.parse::<u32>().ok()));
    }
    numbers.sort_unstable();
    Ok(numbers)
}

/// Whether everybody may see it of everybody's processes.
const fn is_open(what: Look) -> bool {
    use ProcFile::{Cgroup, Cmdline, Comm, Limits, Stat, Statm, Status, Wchan};
    match what {
        Look::Attributes => true,
        Look::File(file) => matches!(
            file,
            Stat | Statm | Status | Cmdline | Comm | Limits | Cgroup | Wchan
        ),
        Look::Link(_) | Look::Descriptors | Look::Descriptor(_) => false,
    }
}

fn refused(error: &io::Error) -> Looked {
    Looked::Refused(error.raw_os_error().unwrap_or(libc::EIO))
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use ssi_api::process::ProcLink;

    use super::*;

    const NOBODY: Reader = Reader {
        uid: 65_534,
        gid: 65_534,
    };

    fn own() -> Reader {
        Reader {
            uid: rustix::process::geteuid().as_raw(),
            gid: rustix::process::getegid().as_raw(),
        }
    }

    #[test]
    fn what_is_there_is_seen() {
        let mut sleep = Command::new("sleep")
            .arg("1000")
            .env("SSI_LOOK", "seen")
            .current_dir("/usr")
            .spawn()
            .expect("sleep");
        let pid = sleep.id();
        let bytes = |what| match look(pid, what, own()) {
            Looked::Bytes(Bytes(bytes)) => String::from_utf8_lossy(&bytes).into_owned(),
            other => panic!("{what:?}: {other:?}"),
        };
        assert!(pids().expect("/proc").contains(&pid));
        assert!(
            matches!(look(pid, Look::Attributes, own()), Looked::Attributes { uid, .. } if uid == own().uid)
        );
        // It may not have become sleep yet; its arguments are the last to be so.
        while bytes(Look::File(ProcFile::Cmdline)) != "sleep\x001000\0" {}
        assert_eq!(bytes(Look::File(ProcFile::Comm)), "sleep\n");
        assert!(bytes(Look::File(ProcFile::Environ)).contains("SSI_LOOK=seen"));
        assert!(bytes(Look::File(ProcFile::Stat)).starts_with(&format!("{pid} (sleep)")));
        assert_eq!(bytes(Look::Link(ProcLink::Cwd)), "/usr");
        assert!(bytes(Look::Link(ProcLink::Exe)).contains("/bin/"));
        let Looked::Descriptors(numbers) = look(pid, Look::Descriptors, own()) else {
            panic!("no descriptors");
        };
        assert!(numbers.starts_with(&[0, 1, 2]), "{numbers:?}");
        assert!(!bytes(Look::Descriptor(1)).is_empty());
        sleep.kill().expect("it runs");
        sleep.wait().expect("wait");
        assert_eq!(
            look(pid, Look::Attributes, own()),
            Looked::Refused(libc::ENOENT)
        );
    }

    #[test]
    fn all_are_seen_once_page_by_page() {
        let own = own();
        let (all, more) = sweep(0, own, usize::MAX).expect("/proc");
        assert!(!more && all.is_sorted_by_key(|seen| seen.pid));
        let (mut paged, mut after) = (Vec::new(), Some(0));
        while let Some(last) = after {
            let (page, more) = sweep(last, own, 10_000).expect("/proc");
            after = page.last().filter(|_| more).map(|seen| seen.pid);
            paged.extend(page.into_iter().map(|seen| seen.pid));
        }
        assert!(paged.is_sorted_by(|a, b| a < b), "{paged:?}");
        let pid = std::process::id();
        assert!(paged.contains(&pid));
        let ours = all.into_iter().find(|seen| seen.pid == pid);
        let ours = ours.expect("this process is there");
        assert_eq!(ours.uid, own.uid);
        let cmdline = fs::read("/proc/self/cmdline").expect("/proc");
        assert_eq!(ours.cmdline, Bytes(cmdline));
        assert!(ours.stat.0.starts_with(format!("{pid} (").as_bytes()));
    }

    /// Another user of root's own process; without root nobody else's rights can be had.
    #[test]
    fn others_see_what_everybody_may_and_no_more() {
        if own().uid != 0 {
            let refused = look(1, Look::File(ProcFile::Comm), NOBODY);
            assert!(matches!(refused, Looked::Refused(_)), "{refused:?}");
            return;
        }
        let mut sleep = Command::new("sleep").arg("1000").spawn().expect("sleep");
        for pid in [sleep.id(), std::process::id()] {
            shows_little(pid);
        }
        sleep.kill().expect("it runs");
        sleep.wait().expect("wait");
    }

    fn shows_little(pid: u32) {
        for open in [ProcFile::Stat, ProcFile::Status, ProcFile::Cmdline] {
            let seen = look(pid, Look::File(open), NOBODY);
            assert!(matches!(seen, Looked::Bytes(_)), "{open:?}: {seen:?}");
        }
        for closed in [
            Look::File(ProcFile::Environ),
            Look::File(ProcFile::Io),
            Look::Link(ProcLink::Cwd),
            Look::Link(ProcLink::Exe),
            Look::Descriptors,
            Look::Descriptor(0),
        ] {
            let refused = look(pid, closed, NOBODY);
            assert_eq!(refused, Looked::Refused(libc::EACCES), "{closed:?}");
        }
        // This thread has what it had.
        assert!(matches!(
            look(pid, Look::Descriptors, own()),
            Looked::Descriptors(_)
        ));
    }
}
