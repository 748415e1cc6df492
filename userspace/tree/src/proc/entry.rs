//! What there is in the tree, and the numbers of its inodes.

use ssi_api::process::{Cpid, ProcFile, ProcLink};

/// Something in the tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Entry {
    Root,
    /// The root of the tree that is /proc in `ssi shell`.
    Shell,
    /// A link to the process that looks, by its number here.
    Own(u32),
    /// The same in a shell, where it is the number that it knows itself.
    OwnPlain(u32),
    /// A link to the thread that looks, of that process.
    OwnThread(u32, u32),
    /// Where a shell has its node's own /proc.
    Native,
    /// The largest number of a process, for shells to have in place of the node's own.
    PidMax,
    /// A link to a process of this node in that.
    Plain(u32),
    /// A link to whatever else is in that, as [`Names`](super::names::Names) knows it.
    Other(u32),
    Nodes,
    Node(u16),
    NodeFile(u16, NodeFile),
    Process(Cpid),
    File(Cpid, ProcFile),
    /// Which node a process is on.
    Where(Cpid),
    Link(Cpid, ProcLink),
    Descriptors(Cpid),
    Descriptor(Cpid, u32),
}

/// What is said of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NodeFile {
    State,
    Load,
    Cpus,
    Mem,
    Uptime,
}

/// Whether something is a directory, a file or a link, and who may do what with it, as proc(5)
/// has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Directory(u16),
    File(u16),
    Link,
}

/// The files of a process, and who may read them.
const FILES: [(ProcFile, u16); 11] = [
    (ProcFile::Stat, 0o444),
    (ProcFile::Statm, 0o444),
    (ProcFile::Status, 0o444),
    (ProcFile::Cmdline, 0o444),
    (ProcFile::Comm, 0o444),
    (ProcFile::Environ, 0o400),
    (ProcFile::Limits, 0o444),
    (ProcFile::Maps, 0o444),
    (ProcFile::Io, 0o400),
    (ProcFile::Cgroup, 0o444),
    (ProcFile::Wchan, 0o444),
];
const LINKS: [ProcLink; 3] = [ProcLink::Exe, ProcLink::Cwd, ProcLink::Root];
const NODE_FILES: [(&str, NodeFile); 5] = [
    ("state", NodeFile::State),
    ("load", NodeFile::Load),
    ("cpus", NodeFile::Cpus),
    ("mem", NodeFile::Mem),
    ("uptime", NodeFile::Uptime),
];
/// Also what the node's own /proc is called in a shell's.
pub(super) const NATIVE: &str = ssi_api::process::NATIVE_PROC;
const PID_MAX: &str = ssi_api::process::SHELL_PID_MAX;
const NODES: &str = "nodes";
const WHERE: &str = "where";
const DESCRIPTORS: &str = "fd";

/// The number of an inode is a tag, a process and a number below.
const PROCESS_SHIFT: u32 = 30;
const TAG_SHIFT: u32 = 61;
const BELOW: u64 = (1 << PROCESS_SHIFT) - 1;

mod tag {
    /// Of a kind that the number below tells.
    pub(super) const HERE: u64 = 0;
    pub(super) const NODE: u64 = 1;
    pub(super) const NODE_FILE: u64 = 2;
    pub(super) const PROCESS: u64 = 3;
    pub(super) const FILE: u64 = 4;
    pub(super) const LINK: u64 = 5;
    pub(super) const DESCRIPTORS: u64 = 6;
    pub(super) const DESCRIPTOR: u64 = 7;
}

/// Below a process: which node it is on comes after its files.
const WHERE_BELOW: u64 = FILES.len() as u64;

/// What there is once, and links to what is on this node: the lowest bits below the tag tell
/// which, those above a thread or a name; the process is the one of this node.
mod here {
    pub(super) const ROOT: u64 = 1;
    pub(super) const NODES: u64 = 2;
    pub(super) const NATIVE: u64 = 3;
    pub(super) const OWN: u64 = 4;
    pub(super) const OWN_PLAIN: u64 = 5;
    pub(super) const OWN_THREAD: u64 = 6;
    pub(super) const PLAIN: u64 = 7;
    pub(super) const OTHER: u64 = 8;
    pub(super) const PID_MAX: u64 = 9;
    pub(super) const BITS: u32 = 4;
}

/// Pids, and names of a /proc, are below this.
const PIDS: u32 = 1 << 22;

fn here(kind: u64, process: u32, above: u32) -> u64 {
    inode(tag::HERE, process, u64::from(above) << here::BITS | kind)
}

fn of_here(process: u32, below: u64) -> Option<Entry> {
    let above = u32::try_from(below >> here::BITS).ok()?;
    let kind = below & ((1 << here::BITS) - 1);
    if process >= PIDS || above >= PIDS {
        return None;
    }
    Some(match (kind, process, above) {
        (here::ROOT, 0, 0) => Entry::Root,
        (here::NODES, 0, 0) => Entry::Nodes,
        (here::NATIVE, 0, 0) => Entry::Native,
        (here::PID_MAX, 0, 0) => Entry::PidMax,
        (here::OTHER, 0, name) => Entry::Other(name),
        (_, 0, _) => return None,
        (here::OWN, pid, 0) => Entry::Own(pid),
        (here::OWN_PLAIN, pid, 0) => Entry::OwnPlain(pid),
        (here::OWN_THREAD, pid, thread) => Entry::OwnThread(pid, thread),
        (here::PLAIN, pid, 0) => Entry::Plain(pid),
        _ => return None,
    })
}

fn inode(tag: u64, process: u32, below: u64) -> u64 {
    tag << TAG_SHIFT | u64::from(process) << PROCESS_SHIFT | below
}

fn place<T: PartialEq>(mut of: impl Iterator<Item = T>, wanted: &T) -> u64 {
    of.position(|one| one == *wanted).map_or(0, |at| at as u64)
}

impl Entry {
    /// The number of its inode; FUSE has it that the root's is 1.
    ///
    /// The kernel keeps what a link says by its inode. So a link that says something else to
    /// everybody has a number for each.
    pub(super) fn inode(self) -> u64 {
        match self {
            // There is one of them.
            Self::Root | Self::Shell => here(here::ROOT, 0, 0),
            Self::Nodes => here(here::NODES, 0, 0),
            Self::Native => here(here::NATIVE, 0, 0),
            Self::PidMax => here(here::PID_MAX, 0, 0),
            Self::Own(pid) => here(here::OWN, pid, 0),
            Self::OwnPlain(pid) => here(here::OWN_PLAIN, pid, 0),
            Self::OwnThread(pid, thread) => here(here::OWN_THREAD, pid, thread),
            Self::Plain(pid) => here(here::PLAIN, pid, 0),
            Self::Other(name) => here(here::OTHER, 0, name),
            Self::Node(node) => inode(tag::NODE, node.into(), 0),
            Self::NodeFile(node, file) => {
                let files = NODE_FILES.iter().map(|(_, file)| *file);
                inode(tag::NODE_FILE, node.into(), place(files, &file))
            }
            Self::Process(cpid) => inode(tag::PROCESS, cpid.number(), 0),
            Self::File(cpid, file) => {
                let files = FILES.iter().map(|(file, _)| *file);
                inode(tag::FILE, cpid.number(), place(files, &file))
            }
            Self::Where(cpid) => inode(tag::FILE, cpid.number(), WHERE_BELOW),
            Self::Link(cpid, link) => {
                inode(tag::LINK, cpid.number(), place(LINKS.into_iter(), &link))
            }
            Self::Descriptors(cpid) => inode(tag::DESCRIPTORS, cpid.number(), 0),
            Self::Descriptor(cpid, fd) => inode(tag::DESCRIPTOR, cpid.number(), fd.into()),
        }
    }

    /// What has that number.
    pub(super) fn of_inode(number: u64) -> Option<Self> {
        let process = u32::try_from((number >> PROCESS_SHIFT) & ((1 << 31) - 1)).ok()?;
        let below = number & BELOW;
        let at = usize::try_from(below).ok()?;
        let node = || u16::try_from(process).ok();
        let cpid = || Cpid::of_number(process);
        Some(match number >> TAG_SHIFT {
            tag::HERE => of_here(process, below)?,
            tag::NODE => Self::Node(node()?),
            tag::NODE_FILE => Self::NodeFile(node()?, NODE_FILES.get(at)?.1),
            tag::PROCESS => Self::Process(cpid()?),
            tag::FILE if below == WHERE_BELOW => Self::Where(cpid()?),
            tag::FILE => Self::File(cpid()?, FILES.get(at)?.0),
            tag::LINK => Self::Link(cpid()?, *LINKS.get(at)?),
            tag::DESCRIPTORS => Self::Descriptors(cpid()?),
            tag::DESCRIPTOR => Self::Descriptor(cpid()?, u32::try_from(below).ok()?),
            _ => return None,
        })
    }

    /// What a directory could have under a name, whoever looks; it may not be there.
    pub(super) fn child(self, name: &str) -> Option<Self> {
        match self {
            Self::Root | Self::Shell => match (name, decimal(name)) {
                (NODES, _) => Some(Self::Nodes),
                (NATIVE, _) if self == Self::Shell => Some(Self::Native),
                (PID_MAX, _) if self == Self::Shell => Some(Self::PidMax),
                (_, Some(pid @ 1..PIDS)) if self == Self::Shell => Some(Self::Plain(pid)),
                (_, number) => Cpid::of_number(number?).map(Self::Process),
            },
            Self::Nodes => Some(Self::Node(u16::try_from(decimal(name)?).ok()?)),
            Self::Node(_) | Self::Process(_) => {
                let mut fixed = self.fixed();
                fixed
                    .find(|(known, _)| *known == name)
                    .map(|(_, entry)| entry)
            }
            Self::Descriptors(cpid) => {
                let fd = decimal(name).filter(|fd| u64::from(*fd) <= BELOW)?;
                Some(Self::Descriptor(cpid, fd))
            }
            _ => None,
        }
    }

    /// What a directory has in any case, in order.
    pub(super) fn fixed(self) -> impl Iterator<Item = (&'static str, Self)> {
        let mut all: Vec<(&str, Self)> = Vec::new();
        match self {
            Self::Root => all.push((NODES, Self::Nodes)),
            // What is there to be mounted elsewhere isn't listed.
            Self::Shell => all.extend([(NODES, Self::Nodes), (NATIVE, Self::Native)]),
            Self::Node(node) => {
                let files = NODE_FILES.iter();
                all.extend(files.map(|(name, file)| (*name, Self::NodeFile(node, *file))));
            }
            Self::Process(cpid) => {
                let (files, links) = (FILES.iter(), LINKS.iter());
                all.extend(files.map(|(file, _)| (file.name(), Self::File(cpid, *file))));
                all.extend(links.map(|link| (link.name(), Self::Link(cpid, *link))));
                all.push((WHERE, Self::Where(cpid)));
                all.push((DESCRIPTORS, Self::Descriptors(cpid)));
            }
            _ => {}
        }
        all.into_iter()
    }

    pub(super) fn kind(self) -> Kind {
        match self {
            Self::Root
            | Self::Shell
            | Self::Native
            | Self::Nodes
            | Self::Node(_)
            | Self::Process(_) => Kind::Directory(0o555),
            Self::Descriptors(_) => Kind::Directory(0o500),
            Self::Own(_)
            | Self::OwnPlain(_)
            | Self::OwnThread(..)
            | Self::Plain(_)
            | Self::Other(_)
            | Self::Link(..)
            | Self::Descriptor(..) => Kind::Link,
            Self::PidMax | Self::Where(_) | Self::NodeFile(..) => Kind::File(0o444),
            Self::File(_, wanted) => {
                let known = FILES.iter().find(|(file, _)| *file == wanted);
                Kind::File(known.map_or(0o400, |(_, mode)| *mode))
            }
        }
    }

    /// The process that it is of, if it is a directory, a file or a link of one.
    pub(super) const fn process(self) -> Option<Cpid> {
        match self {
            Self::Process(cpid)
            | Self::File(cpid, _)
            | Self::Where(cpid)
            | Self::Link(cpid, _)
            | Self::Descriptors(cpid)
            | Self::Descriptor(cpid, _) => Some(cpid),
            _ => None,
        }
    }
}

/// A number as it is listed: one name for one thing.
fn decimal(name: &str) -> Option<u32> {
    let number: u32 = name.parse().ok()?;
    (number.to_string() == name).then_some(number)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn all_of(cpid: Cpid, fd: u32, node: u16) -> Vec<Entry> {
        let process = Entry::Process(cpid);
        let mut all = vec![
            Entry::Root,
            Entry::Own(cpid.pid()),
            Entry::OwnPlain(cpid.pid()),
            Entry::OwnThread(cpid.pid(), cpid.pid()),
            Entry::Plain(cpid.pid()),
            Entry::Other(fd % PIDS),
            Entry::Native,
            Entry::PidMax,
            Entry::Nodes,
            Entry::Node(node),
            process,
        ];
        all.extend(process.fixed().map(|(_, entry)| entry));
        all.extend(Entry::Node(node).fixed().map(|(_, entry)| entry));
        all.push(Entry::Descriptor(cpid, fd));
        all
    }

    proptest! {
        #[test]
        fn every_entry_has_a_number_of_its_own(
            node in 1_u16..=511, pid in 1_u32..1 << 22, fd in 0_u32..1 << 30
        ) {
            let cpid = Cpid::new(node, pid).expect("in range");
            let all = all_of(cpid, fd, node);
            let mut inodes: Vec<u64> = all.iter().map(|entry| entry.inode()).collect();
            for (entry, inode) in all.iter().zip(&inodes) {
                prop_assert_eq!(Entry::of_inode(*inode), Some(*entry));
            }
            inodes.sort_unstable();
            inodes.dedup();
            prop_assert_eq!(inodes.len(), all.len());
        }

        #[test]
        fn any_number_is_an_entry_or_none(number: u64) {
            if let Some(entry) = Entry::of_inode(number) {
                prop_assert_eq!(Entry::of_inode(entry.inode()), Some(entry));
            }
        }

        #[test]
        fn any_name_is_an_entry_or_none(name in "\\PC{0,12}") {
            for parent in all_of(Cpid::new(2, 7).expect("in range"), 3, 2) {
                if let Some(child) = parent.child(&name) {
                    prop_assert_eq!(Entry::of_inode(child.inode()), Some(child));
                }
            }
        }
    }

    #[test]
    fn names() {
        let cpid = Cpid::new(2, 1234).expect("in range");
        assert_eq!(Entry::Root.child("8389842"), Some(Entry::Process(cpid)));
        // A number of no node, and other ways to write one.
        for none in ["1234", "08389842", "+8389842", "-1", "", "2/1234", "stat"] {
            assert_eq!(Entry::Root.child(none), None, "{none}");
        }
        assert_eq!(Entry::Shell.child("8389842"), Some(Entry::Process(cpid)));
        assert_eq!(Entry::Shell.child("1234"), Some(Entry::Plain(1234)));
        assert_eq!(Entry::Shell.child("node"), Some(Entry::Native));
        assert_eq!(Entry::Shell.child("0"), None);
        let process = Entry::Process(cpid);
        assert_eq!(process.child("fd"), Some(Entry::Descriptors(cpid)));
        assert_eq!(process.child("mem"), None);
        assert_eq!(
            Entry::Descriptors(cpid).child("3"),
            Some(Entry::Descriptor(cpid, 3))
        );
        assert_eq!(Entry::Descriptors(cpid).child("1073741824"), None);
    }
}
