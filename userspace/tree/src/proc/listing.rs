//! What a directory has.

use std::io;
use std::sync::Arc;

use fuse3::FileType;
use fuse3::raw::Request;
use fuse3::raw::reply::{DirectoryEntry, DirectoryEntryPlus, FileAttr};
use ssi_api::process::{Cpid, Look, Looked, NodePids, Reader};

use super::daemon::Daemon;
use super::entry::{Entry, Kind};
use super::names::{self, Contents, Names};
use super::own;

/// A directory as it was when it was opened: its names, in the order in which they are read.
pub(super) type Listing = Arc<Vec<(String, Entry)>>;

/// Reads a directory.
///
/// # Errors
/// It is none; the daemon's.
pub(super) async fn list(
    daemon: &Daemon,
    known: &Names,
    of: Entry,
    request: Request,
) -> fuse3::Result<Listing> {
    let mut all: Vec<(String, Entry)> = of
        .fixed()
        .map(|(name, entry)| (name.to_owned(), entry))
        .collect();
    match of {
        Entry::Root => {
            all.extend(own::link(of, own::NAME, request.pid).map(|own| (own::NAME.into(), own)));
            for node in daemon.pids().await?.nodes {
                all.extend(processes(node));
            }
        }
        Entry::Shell => {
            all.extend(native(known, request.pid)?);
            let all_pids = daemon.pids().await?;
            let others = all_pids.nodes.into_iter();
            let others = others.filter(|node| node.number != all_pids.here);
            all.extend(others.flat_map(processes));
        }
        Entry::Nodes => {
            let members = daemon.view().await?.nodes.into_iter();
            all.extend(
                members.map(|member| (member.number.to_string(), Entry::Node(member.number))),
            );
        }
        Entry::Descriptors(cpid) => {
            let looked = daemon.look(cpid, Look::Descriptors, reader(request));
            let Looked::Descriptors(fds) = looked.await? else {
                return Err(libc::EIO.into());
            };
            let fds = fds.into_iter();
            all.extend(fds.map(|fd| (fd.to_string(), Entry::Descriptor(cpid, fd))));
        }
        Entry::Native | Entry::Node(_) | Entry::Process(_) => {}
        _ => return Err(libc::ENOTDIR.into()),
    }
    Ok(Arc::new(all))
}

/// The processes of a node.
fn processes(node: NodePids) -> impl Iterator<Item = (String, Entry)> {
    let cpids = node.pids.into_iter();
    let cpids = cpids.filter_map(move |pid| Cpid::new(node.number, pid));
    cpids.map(|cpid| (cpid.number().to_string(), Entry::Process(cpid)))
}

/// What a shell sees of this node's own /proc, in which whoever looks is a thread.
fn native(known: &Names, thread: u32) -> io::Result<Vec<(String, Entry)>> {
    let Contents { mut pids, others } = names::contents()?;
    let mut all = Vec::new();
    for name in others {
        let own = own::link(Entry::Shell, &name, thread);
        let entry = own.or_else(|| known.number(&name).map(Entry::Other));
        all.extend(entry.map(|entry| (name, entry)));
    }
    pids.sort_unstable();
    all.extend(
        pids.into_iter()
            .map(|pid| (pid.to_string(), Entry::Plain(pid))),
    );
    Ok(all)
}

/// On whose behalf the tree is asked.
pub(super) const fn reader(request: Request) -> Reader {
    Reader {
        uid: request.uid,
        gid: request.gid,
    }
}

const fn file_type(kind: Kind) -> FileType {
    match kind {
        Kind::Directory(_) => FileType::Directory,
        Kind::File(_) => FileType::RegularFile,
        Kind::Link => FileType::Symlink,
    }
}

/// A listing from a place on; every entry says where the next is.
fn from(listing: &Listing, offset: u64) -> impl Iterator<Item = (i64, &(String, Entry))> {
    let skip = usize::try_from(offset).unwrap_or(usize::MAX);
    let rest = listing.iter().enumerate().skip(skip);
    rest.map(|(at, one)| (i64::try_from(at + 1).unwrap_or(i64::MAX), one))
}

/// As readdir(3) wants it.
pub(super) fn names(listing: &Listing, offset: u64) -> Vec<fuse3::Result<DirectoryEntry>> {
    // As many as fit a request of the kernel, and some.
    let some = from(listing, offset).take(ONE_READ);
    some.map(|(next, (name, entry))| {
        Ok(DirectoryEntry {
            inode: entry.inode(),
            kind: file_type(entry.kind()),
            name: name.into(),
            offset: next,
        })
    })
    .collect()
}

/// The same for a kernel that would take the attributes along: it is told none, as each would
/// be a question to a node.
pub(super) fn names_only(listing: &Listing, offset: u64) -> Vec<fuse3::Result<DirectoryEntryPlus>> {
    let named = names(listing, offset).into_iter().flatten();
    named
        .map(|named| {
            Ok(DirectoryEntryPlus {
                inode: named.inode,
                generation: 0,
                kind: named.kind,
                name: named.name,
                offset: named.offset,
                attr: NONE,
                entry_ttl: std::time::Duration::ZERO,
                attr_ttl: std::time::Duration::ZERO,
            })
        })
        .collect()
}

/// Names in a reply: a kernel asks for 4 KiB to 128 KiB, and a name takes 32 bytes or more.
const ONE_READ: usize = 4_096;

/// An entry without an inode's number has no attributes (fs/fuse/readdir.c).
const NONE: FileAttr = FileAttr {
    ino: 0,
    size: 0,
    blocks: 0,
    atime: EPOCH,
    mtime: EPOCH,
    ctime: EPOCH,
    kind: FileType::RegularFile,
    perm: 0,
    nlink: 0,
    uid: 0,
    gid: 0,
    rdev: 0,
    blksize: 0,
};

/// The longest that a link can be.
const LONGEST: u64 = 4_095;

pub(super) const EPOCH: fuse3::Timestamp = fuse3::Timestamp { sec: 0, nsec: 0 };

/// What the kernel is told of an entry.
pub(super) fn attributes(entry: Entry, uid: u32, gid: u32) -> FileAttr {
    let (perm, nlink) = match entry.kind() {
        Kind::Directory(mode) => (mode, 2),
        Kind::File(mode) => (mode, 1),
        Kind::Link => (0o777, 1),
    };
    FileAttr {
        ino: entry.inode(),
        // Where a link leads isn't known yet, and kernels before 6.11 cut it off at this.
        size: if entry.kind() == Kind::Link {
            LONGEST
        } else {
            0
        },
        kind: file_type(entry.kind()),
        perm,
        nlink,
        uid,
        gid,
        blksize: 4_096,
        ..NONE
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_listing_is_read_in_parts_and_whole() {
        let cpids = (1..=10_000).filter_map(|pid| Cpid::new(3, pid));
        let all = cpids.map(|cpid| (cpid.number().to_string(), Entry::Process(cpid)));
        let listing: Listing = Arc::new(all.collect());
        let (mut offset, mut read) = (0, Vec::new());
        loop {
            // The kernel takes what fits.
            let part: Vec<_> = names(&listing, offset)
                .into_iter()
                .flatten()
                .take(113)
                .collect();
            let Some(last) = part.last() else { break };
            offset = u64::try_from(last.offset).expect("it goes up");
            read.extend(part.into_iter().map(|entry| entry.name));
        }
        let wanted: Vec<_> = listing.iter().map(|(name, _)| name.into()).collect();
        assert_eq!(read, wanted as Vec<std::ffi::OsString>);
        assert!(names(&listing, u64::MAX).is_empty());
        let plus = names_only(&listing, 9_999);
        assert!(plus.into_iter().flatten().all(|entry| entry.attr.ino == 0));
    }
}
