//! Reading and writing descriptors that others share, without ever waiting for them.

use std::cell::OnceCell;
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, AsRawFd as _, BorrowedFd, OwnedFd};

use nix::fcntl::{OFlag, open};
use nix::sys::stat::{FileStat, Mode, SFlag, fstat, makedev};

/// What a pipe takes at once if poll(2) says that it takes anything (`PIPE_BUF`).
const AT_ONCE: usize = 4096;

/// A descriptor. Whether it waits is a property of what it refers to, which our caller has
/// too: so that is not changed, but opened once more where that can be done, once it is used.
#[derive(Debug)]
pub(super) struct Shared {
    fd: OwnedFd,
    flags: OFlag,
    used: OnceCell<Used>,
}

/// What it is used as.
#[derive(Debug)]
struct Used {
    kind: Kind,
    again: Option<OwnedFd>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// It never waits.
    Ours,
    /// A file: it does not wait either.
    File,
    /// A socket: it is said each time.
    Socket,
    /// It waits.
    Waits,
}

impl Shared {
    /// One of the standard streams.
    pub(super) fn standard(fd: BorrowedFd<'_>, flags: OFlag) -> io::Result<Self> {
        Ok(Self {
            fd: fd.try_clone_to_owned()?,
            flags,
            used: OnceCell::new(),
        })
    }

    fn kind(&self) -> Kind {
        self.used.get_or_init(|| self.open_again()).kind
    }

    fn open_again(&self) -> Used {
        let as_it_is = |kind| Used { kind, again: None };
        let found = fstat(&self.fd).map_or(SFlag::empty(), |found| kind_of(&found));
        if found == SFlag::S_IFSOCK {
            return as_it_is(Kind::Socket);
        }
        if found == SFlag::S_IFREG || found == SFlag::S_IFDIR || found == SFlag::S_IFBLK {
            return as_it_is(Kind::File);
        }
        let path = format!("/proc/self/fd/{}", self.fd.as_raw_fd());
        let flags = self.flags | OFlag::O_NONBLOCK | OFlag::O_NOCTTY | OFlag::O_CLOEXEC;
        match open(path.as_str(), flags, Mode::empty()) {
            Ok(again) => Used {
                kind: Kind::Ours,
                again: Some(again),
            },
            Err(_) => as_it_is(Kind::Waits),
        }
    }

    /// Whether what was read can be given back.
    pub(super) fn is_file(&self) -> bool {
        self.kind() == Kind::File
    }

    /// Whether writing returns at once even if there is no room.
    pub(super) fn never_waits(&self) -> bool {
        self.kind() != Kind::Waits
    }

    pub(super) fn read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.kind() == Kind::Socket {
            let fd = self.fd.as_raw_fd();
            let flags = nix::sys::socket::MsgFlags::MSG_DONTWAIT;
            return Ok(nix::sys::socket::recv(fd, buffer, flags)?);
        }
        Ok(nix::unistd::read(self, buffer)?)
    }

    pub(super) fn write(&self, bytes: &[u8]) -> io::Result<usize> {
        match self.kind() {
            Kind::Socket => {
                let flags = nix::sys::socket::MsgFlags::MSG_DONTWAIT
                    | nix::sys::socket::MsgFlags::MSG_NOSIGNAL;
                Ok(nix::sys::socket::send(self.fd.as_raw_fd(), bytes, flags)?)
            }
            Kind::Waits => Ok(nix::unistd::write(
                self,
                &bytes[..bytes.len().min(AT_ONCE)],
            )?),
            Kind::Ours | Kind::File => Ok(nix::unistd::write(self, bytes)?),
        }
    }

    /// Gives back what was read last.
    pub(super) fn give_back(&self, bytes: u64) {
        use std::io::Seek as _;
        if let (true, Ok(bytes), Ok(fd)) =
            (self.is_file(), i64::try_from(bytes), self.fd.try_clone())
        {
            // Then it is as if the command had read ahead, as many do.
            let _ = File::from(fd).seek(io::SeekFrom::Current(-bytes));
        }
    }
}

impl AsFd for Shared {
    fn as_fd(&self) -> BorrowedFd<'_> {
        let again = self.used.get().and_then(|used| used.again.as_ref());
        again.unwrap_or(&self.fd).as_fd()
    }
}

fn kind_of(found: &FileStat) -> SFlag {
    SFlag::from_bits_truncate(found.st_mode) & SFlag::S_IFMT
}

/// Whether nothing is ever read there.
pub(super) fn is_null(fd: impl AsFd) -> bool {
    // Documentation/admin-guide/devices.txt: a character device, 1 and 3.
    fstat(fd).is_ok_and(|found| kind_of(&found) == SFlag::S_IFCHR && found.st_rdev == makedev(1, 3))
}

/// Whether it is a file, in which what was not read can be given back.
pub(super) fn is_file(fd: impl AsFd) -> bool {
    fstat(fd).is_ok_and(|found| kind_of(&found) == SFlag::S_IFREG)
}

/// Has a descriptor of our own never wait.
pub(super) fn never_wait(fd: &OwnedFd) -> io::Result<()> {
    Ok(rustix::io::ioctl_fionbio(fd, true)?)
}
