//! Reading and writing descriptors that others share, without ever waiting for them.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, AsRawFd as _, BorrowedFd, OwnedFd};

use nix::fcntl::{OFlag, open};
use nix::sys::stat::{Mode, SFlag, fstat};

/// What a pipe takes at once if poll(2) says that it takes anything (`PIPE_BUF`).
const AT_ONCE: usize = 4096;

/// A descriptor. Whether it waits is a property of what it refers to, which our caller has
/// too: so that is not changed, but opened once more where that can be done.
#[derive(Debug)]
pub(super) struct Shared {
    fd: OwnedFd,
    kind: Kind,
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
        let again = fd.try_clone_to_owned()?;
        let kind = SFlag::from_bits_truncate(fstat(fd)?.st_mode) & SFlag::S_IFMT;
        if kind == SFlag::S_IFSOCK {
            return Ok(Self {
                fd: again,
                kind: Kind::Socket,
            });
        }
        if kind == SFlag::S_IFREG || kind == SFlag::S_IFDIR || kind == SFlag::S_IFBLK {
            return Ok(Self {
                fd: again,
                kind: Kind::File,
            });
        }
        let path = format!("/proc/self/fd/{}", fd.as_raw_fd());
        let flags = flags | OFlag::O_NONBLOCK | OFlag::O_NOCTTY | OFlag::O_CLOEXEC;
        Ok(match open(path.as_str(), flags, Mode::empty()) {
            Ok(fd) => Self {
                fd,
                kind: Kind::Ours,
            },
            Err(_) => Self {
                fd: again,
                kind: Kind::Waits,
            },
        })
    }

    /// Whether what was read can be given back.
    pub(super) fn is_file(&self) -> bool {
        self.kind == Kind::File
    }

    /// Whether writing returns at once even if there is no room.
    pub(super) fn never_waits(&self) -> bool {
        self.kind != Kind::Waits
    }

    pub(super) fn read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.kind == Kind::Socket {
            let fd = self.fd.as_raw_fd();
            let flags = nix::sys::socket::MsgFlags::MSG_DONTWAIT;
            return Ok(nix::sys::socket::recv(fd, buffer, flags)?);
        }
        Ok(nix::unistd::read(&self.fd, buffer)?)
    }

    pub(super) fn write(&self, bytes: &[u8]) -> io::Result<usize> {
        match self.kind {
            Kind::Socket => {
                let flags = nix::sys::socket::MsgFlags::MSG_DONTWAIT
                    | nix::sys::socket::MsgFlags::MSG_NOSIGNAL;
                Ok(nix::sys::socket::send(self.fd.as_raw_fd(), bytes, flags)?)
            }
            Kind::Waits => Ok(nix::unistd::write(
                &self.fd,
                &bytes[..bytes.len().min(AT_ONCE)],
            )?),
            Kind::Ours | Kind::File => Ok(nix::unistd::write(&self.fd, bytes)?),
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
        self.fd.as_fd()
    }
}

/// Has a descriptor of our own never wait.
pub(super) fn never_wait(fd: &OwnedFd) -> io::Result<()> {
    Ok(rustix::io::ioctl_fionbio(fd, true)?)
}
