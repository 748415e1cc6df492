//! The tree as FUSE asks for it.

use std::ffi::OsStr;
use std::num::NonZeroU32;
use std::time::{Duration, Instant};

use bytes::Bytes;
use fuse3::raw::reply::{
    DirectoryEntry, DirectoryEntryPlus, ReplyAttr, ReplyData, ReplyDirectory, ReplyDirectoryPlus,
    ReplyEntry, ReplyInit, ReplyOpen, ReplyStatFs,
};
use fuse3::raw::{Filesystem, Request};
use fuse3::{Inode, Result};
use futures::stream::{self, Iter, Stream};
use ssi_api::process::{self, Cpid, Look, Looked, ProcFile, Reader, Seen};

use super::boots::Boots;
use super::daemon::Daemon;
use super::entry::{Entry, Kind, NATIVE, NodeFile};
use super::handles::Handles;
use super::interrupt::Interrupts;
use super::listing::{self, Listing, reader};
use super::names::{self, Names};
use super::once::Once;
use super::owners::{FRESH, Owner, Owners};
use super::sweeps::Sweeps;
use super::{node, own, renumber};

/// Files are read as they are now, whatever the kernel has of them (FOPEN_DIRECT_IO,
/// include/uapi/linux/fuse.h): their lengths aren't known before.
const DIRECT: u32 = 1;

/// A tree of one node.
#[derive(Debug)]
pub(super) struct Files {
    daemon: Daemon,
    /// What it begins with.
    root: Entry,
    names: Names,
    once: Once,
    owners: Owners,
    sweeps: Sweeps,
    boots: Boots,
    texts: Handles<Text>,
    listings: Handles<Listing>,
    interrupts: Interrupts,
}

/// An open file: what it said when it was last read from its beginning.
#[derive(Clone, Debug, Default)]
struct Text(Option<Bytes>);

impl Files {
    pub(super) fn new(daemon: Daemon, root: Entry) -> Self {
        Self {
            daemon,
            root,
            names: Names::default(),
            once: Once::default(),
            owners: Owners::default(),
            sweeps: Sweeps::default(),
            boots: Boots::default(),
            texts: Handles::default(),
            listings: Handles::default(),
            interrupts: Interrupts::default(),
        }
    }

    /// What has an inode's number.
    fn entry(&self, inode: Inode) -> Result<Entry> {
        let entry = match Entry::of_inode(inode) {
            Some(Entry::Root) => Some(self.root),
            None => self.once.entry(inode),
            known => known,
        };
        entry.ok_or_else(|| libc::ENOENT.into())
    }

    /// Gathers what whoever looks at all processes of a node is going to read, if that is what
    /// they do.
    async fn gather(&self, cpid: Cpid, request: Request) -> Result<()> {
        let (node, reader) = (cpid.node(), reader(request));
        if !self.sweeps.wants(request.pid, reader, cpid, Instant::now()) {
            return Ok(());
        }
        let (seen, more) = self.daemon.sweep(cpid, reader).await?;
        let at = Instant::now();
        for Seen { pid, uid, gid, .. } in &seen {
            let (uid, gid) = (*uid, *gid);
            if let Some(cpid) = Cpid::new(node, *pid) {
                self.owners.put(cpid, at, Owner { uid, gid });
            }
        }
        self.sweeps.put(request.pid, node, at, seen, more);
        Ok(())
    }

    /// Whose an entry is, which also tells whether it is there.
    async fn owner(&self, entry: Entry, request: Request) -> Result<Owner> {
        let Some(cpid) = entry.process() else {
            if let Entry::Node(node) | Entry::NodeFile(node, _) = entry {
                let view = self.daemon.view().await?;
                node::state(&view, node).ok_or(libc::ENOENT)?;
            }
            return Ok(Owner { uid: 0, gid: 0 });
        };
        self.gather(cpid, request).await?;
        if let Some(known) = self.owners.get(cpid, Instant::now()) {
            return Ok(known);
        }
        let root = Reader { uid: 0, gid: 0 };
        let looked = self.daemon.look(cpid, Look::Attributes, root).await?;
        let Looked::Attributes { uid, gid, .. } = looked else {
            return Err(libc::EIO.into());
        };
        let owner = Owner { uid, gid };
        self.owners.put(cpid, Instant::now(), owner);
        Ok(owner)
    }

    /// How long the kernel may believe what it was told.
    const fn valid(entry: Entry) -> Duration {
        match entry {
            // Every process has its own, and what they say changes.
            Entry::Own(_) | Entry::OwnPlain(_) | Entry::OwnThread(..) => Duration::ZERO,
            Entry::Link(..) | Entry::Descriptor(..) => Duration::ZERO,
            _ => FRESH,
        }
    }

    async fn text(&self, entry: Entry, request: Request) -> Result<Bytes> {
        let reader = reader(request);
        let said = match entry {
            Entry::File(cpid, file) => {
                self.gather(cpid, request).await?;
                let now = Instant::now();
                let said = match self.sweeps.take(request.pid, reader, cpid, file, now) {
                    Some(said) => said,
                    None => self.bytes(cpid, Look::File(file), reader).await?,
                };
                let later = match file {
                    ProcFile::Stat => self.boots.later(&self.daemon, cpid.node()).await?,
                    _ => 0,
                };
                renumber::renumber(file, said, cpid.node(), later)
            }
            Entry::PidMax => format!("{}\n", i32::MAX).into_bytes(),
            Entry::Where(cpid) => {
                let view = self.daemon.view().await?;
                let place = node::place(&view, cpid.node());
                place.ok_or(libc::ENOENT)?.into_bytes()
            }
            Entry::NodeFile(number, NodeFile::State) => {
                let view = self.daemon.view().await?;
                node::state(&view, number).ok_or(libc::ENOENT)?.into_bytes()
            }
            Entry::NodeFile(number, file) => {
                let loads = self.daemon.loads(number).await?;
                // The node is known, as its name was found; it may not be up, or for less than
                // a second.
                let unknown = if loads.nodes.is_empty() {
                    libc::EHOSTDOWN
                } else {
                    libc::EAGAIN
                };
                node::busy(&loads, file).ok_or(unknown)?.into_bytes()
            }
            _ => return Err(libc::EISDIR.into()),
        };
        Ok(said.into())
    }

    async fn bytes(&self, cpid: Cpid, what: Look, reader: Reader) -> Result<Vec<u8>> {
        match self.daemon.look(cpid, what, reader).await? {
            Looked::Bytes(process::Bytes(bytes)) => Ok(bytes),
            _ => Err(libc::EIO.into()),
        }
    }

    async fn link(&self, entry: Entry, request: Request) -> Result<Bytes> {
        let reader = reader(request);
        let leads = match entry {
            Entry::Own(_) => {
                let here = self.daemon.view().await?.node;
                own::target(entry, here).ok_or(libc::ENOENT)?.into_bytes()
            }
            Entry::OwnPlain(_) | Entry::OwnThread(..) => {
                own::target(entry, 0).ok_or(libc::ENOENT)?.into_bytes()
            }
            Entry::Plain(pid) => format!("{NATIVE}/{pid}").into_bytes(),
            Entry::Other(number) => {
                let name = self.names.name(number).ok_or(libc::ENOENT)?;
                format!("{NATIVE}/{name}").into_bytes()
            }
            Entry::Link(cpid, link) => self.bytes(cpid, Look::Link(link), reader).await?,
            Entry::Descriptor(cpid, fd) => self.bytes(cpid, Look::Descriptor(fd), reader).await?,
            _ => return Err(libc::EINVAL.into()),
        };
        Ok(leads.into())
    }

    /// What a directory has under a name, for whoever looks.
    fn child(&self, parent: Entry, name: &str, request: Request) -> Option<Entry> {
        match parent.child(name) {
            Some(Entry::Plain(pid)) if !names::is_there(pid) => None,
            None if parent == self.root => own::link(parent, name, request.pid).or_else(|| {
                let native = parent == Entry::Shell;
                native.then(|| self.names.find(name).map(Entry::Other))?
            }),
            child => child,
        }
    }

    async fn find(&self, parent: Entry, name: &OsStr, request: Request) -> Result<ReplyEntry> {
        let name = name.to_str().ok_or(libc::ENOENT)?;
        let entry = self.child(parent, name, request).ok_or(libc::ENOENT)?;
        let Owner { uid, gid } = self.owner(entry, request).await?;
        let mut attr = listing::attributes(entry, uid, gid);
        if let Entry::Link(..) | Entry::Descriptor(..) = entry {
            attr.ino = self.once.number(entry);
        }
        Ok(ReplyEntry {
            ttl: Self::valid(entry),
            attr,
            generation: 0,
        })
    }
}

impl Filesystem for Files {
    async fn init(&self, _: Request) -> Result<ReplyInit> {
        Ok(ReplyInit::new(NonZeroU32::MIN.saturating_add(4_095)))
    }

    async fn destroy(&self, _: Request) {}

    async fn lookup(&self, request: Request, parent: Inode, name: &OsStr) -> Result<ReplyEntry> {
        let parent = self.entry(parent)?;
        let finding = self.find(parent, name, request);
        self.interrupts.unless(request.unique, finding).await
    }

    async fn forget(&self, _: Request, inode: Inode, _: u64) {
        self.once.forget(inode);
    }

    async fn batch_forget(&self, _: Request, inodes: &[(Inode, u64)]) {
        for (inode, _) in inodes {
            self.once.forget(*inode);
        }
    }

    async fn getattr(
        &self,
        request: Request,
        inode: Inode,
        _: Option<u64>,
        _: u32,
    ) -> Result<ReplyAttr> {
        let entry = self.entry(inode)?;
        let asking = self.owner(entry, request);
        let Owner { uid, gid } = self.interrupts.unless(request.unique, asking).await?;
        let mut attr = listing::attributes(entry, uid, gid);
        attr.ino = inode;
        Ok(ReplyAttr {
            ttl: Self::valid(entry),
            attr,
        })
    }

    async fn readlink(&self, request: Request, inode: Inode) -> Result<ReplyData> {
        let reading = self.link(self.entry(inode)?, request);
        let leads = self.interrupts.unless(request.unique, reading).await?;
        Ok(ReplyData { data: leads })
    }

    async fn open(&self, request: Request, inode: Inode, _: u32) -> Result<ReplyOpen> {
        let entry = self.entry(inode)?;
        if !matches!(entry.kind(), Kind::File(_)) {
            return Err(libc::EISDIR.into());
        }
        // Who may not read it is told so now.
        let reading = self.text(entry, request);
        let text = self.interrupts.unless(request.unique, reading).await?;
        Ok(ReplyOpen {
            fh: self.texts.open(Text(Some(text))),
            flags: DIRECT,
        })
    }

    async fn read(
        &self,
        request: Request,
        inode: Inode,
        fh: u64,
        offset: u64,
        size: u32,
    ) -> Result<ReplyData> {
        let Text(known) = self.texts.get(fh)?;
        let text = match known {
            Some(text) => text,
            None => {
                let reading = self.text(self.entry(inode)?, request);
                self.interrupts.unless(request.unique, reading).await?
            }
        };
        let begin = usize::try_from(offset).map_or(text.len(), |at| at.min(text.len()));
        let end = text.len().min(begin.saturating_add(size as usize));
        let data = text.slice(begin..end);
        // Whoever has read all and begins again wants to see it as it is then.
        let kept = (!data.is_empty()).then_some(text);
        self.texts.set(fh, Text(kept));
        Ok(ReplyData { data })
    }

    async fn release(&self, _: Request, _: Inode, fh: u64, _: u32, _: u64, _: bool) -> Result<()> {
        self.texts.close(fh);
        Ok(())
    }

    async fn opendir(&self, request: Request, inode: Inode, _: u32) -> Result<ReplyOpen> {
        let entry = self.entry(inode)?;
        if entry == self.root {
            let now = Instant::now();
            self.sweeps.begin(request.pid, reader(request), now);
        }
        let listing = listing::list(&self.daemon, &self.names, entry, request);
        let listing = self.interrupts.unless(request.unique, listing).await?;
        Ok(ReplyOpen {
            fh: self.listings.open(listing),
            flags: 0,
        })
    }

    async fn readdir<'a>(
        &'a self,
        _: Request,
        _: Inode,
        fh: u64,
        offset: i64,
    ) -> Result<ReplyDirectory<impl Stream<Item = Result<DirectoryEntry>> + Send + 'a>> {
        let names = listing::names(&self.listings.get(fh)?, offset.unsigned_abs());
        let entries: Iter<_> = stream::iter(names);
        Ok(ReplyDirectory { entries })
    }

    async fn readdirplus<'a>(
        &'a self,
        _: Request,
        _: Inode,
        fh: u64,
        offset: u64,
        _: u64,
    ) -> Result<ReplyDirectoryPlus<impl Stream<Item = Result<DirectoryEntryPlus>> + Send + 'a>>
    {
        let names = listing::names_only(&self.listings.get(fh)?, offset);
        let entries: Iter<_> = stream::iter(names);
        Ok(ReplyDirectoryPlus { entries })
    }

    async fn releasedir(&self, _: Request, _: Inode, fh: u64, _: u32) -> Result<()> {
        self.listings.close(fh);
        Ok(())
    }

    async fn access(&self, _: Request, _: Inode, _: u32) -> Result<()> {
        // What one may not read is refused when it is opened, by its node.
        Ok(())
    }

    async fn statfs(&self, _: Request, _: Inode) -> Result<ReplyStatFs> {
        Ok(ReplyStatFs {
            blocks: 0,
            bfree: 0,
            bavail: 0,
            files: 0,
            ffree: 0,
            bsize: 4_096,
            namelen: 255,
            frsize: 4_096,
        })
    }

    async fn interrupt(&self, _: Request, unique: u64) -> Result<()> {
        self.interrupts.interrupt(unique);
        Ok(())
    }
}
