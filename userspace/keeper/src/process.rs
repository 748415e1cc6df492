//! The daemon's end: the keeper is found, started, asked, ended.

use std::fs::{self, Permissions};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::io::Errno;
use rustix::net::sockopt::{Timeout, set_socket_timeout, socket_peercred};
use rustix::net::{
    AddressFamily, SocketAddrUnix, SocketFlags, SocketType, bind, connect, listen, socket_with,
};

use crate::message::{self, Word};
use crate::serve;

/// A keeper that takes longer to answer is of no use.
const PATIENCE: Duration = Duration::from_secs(2);

/// Where the keeper is found.
pub(crate) fn path(directory: &Path) -> PathBuf {
    directory.join("keeper.sock")
}

/// A connection to the keeper.
#[derive(Debug)]
pub(crate) struct Connection {
    socket: OwnedFd,
    /// It, if we have started it.
    child: Option<Child>,
}

impl Connection {
    /// To the one that runs; none: none runs.
    pub(crate) fn open(path: &Path) -> io::Result<Option<Self>> {
        let socket = packets()?;
        match connect(&socket, &SocketAddrUnix::new(path)?) {
            Ok(()) => {}
            Err(Errno::NOENT | Errno::CONNREFUSED) => return Ok(None),
            Err(error) => return Err(error.into()),
        }
        for direction in [Timeout::Recv, Timeout::Send] {
            set_socket_timeout(&socket, direction, Some(PATIENCE))?;
        }
        let child = None;
        Ok(Some(Self { socket, child }))
    }

    /// Starts one, this very program, and connects to it.
    pub(crate) fn start(path: &Path) -> io::Result<Self> {
        if let Err(error) = fs::remove_file(path)
            && error.kind() != io::ErrorKind::NotFound
        {
            return Err(error);
        }
        let listener = packets()?;
        bind(&listener, &SocketAddrUnix::new(path)?)?;
        // Nobody can connect before it listens.
        fs::set_permissions(path, Permissions::from_mode(0o600))?;
        listen(&listener, 8)?;
        let mut child = Command::new("/proc/self/exe")
            .arg0(serve::NAME)
            .arg(serve::ARGUMENT)
            .env_clear()
            .current_dir("/")
            .stdin(Stdio::from(listener))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        let refused = || io::ErrorKind::ConnectionRefused.into();
        match Self::open(path).and_then(|connection| connection.ok_or_else(refused)) {
            Ok(mut connection) => {
                connection.child = Some(child);
                Ok(connection)
            }
            Err(error) => {
                // It was killed before it listened, perhaps.
                end_child(&mut child);
                Err(error)
            }
        }
    }

    /// Asks for something, and waits until it is done.
    pub(crate) fn ask(&self, word: Word, sockets: &[OwnedFd]) -> io::Result<Vec<OwnedFd>> {
        message::say(&self.socket, word, sockets)?;
        match message::hear(&self.socket)? {
            Some((Word::Done, sockets)) => Ok(sockets),
            Some(_) => Err(io::ErrorKind::InvalidData.into()),
            None => Err(io::ErrorKind::UnexpectedEof.into()),
        }
    }

    /// Waits until it has ended.
    pub(crate) fn wait(self) {
        // It never says anything of its own accord; an error is its end as well.
        let _ = set_socket_timeout(&self.socket, Timeout::Recv, None);
        while matches!(message::hear(&self.socket), Ok(Some(_))) {}
        self.give_up();
    }

    /// It says nothing, so it is of no use, should it still run.
    pub(crate) fn give_up(mut self) {
        if let Some(child) = &mut self.child {
            end_child(child);
        }
    }

    /// Its process id.
    pub(crate) fn pid(&self) -> i32 {
        socket_peercred(&self.socket).map_or(0, |peer| peer.pid.as_raw_nonzero().get())
    }
}

/// Neither it nor its zombie stays.
fn end_child(child: &mut Child) {
    let _ = child.kill();
    let _ = child.wait();
}

fn packets() -> io::Result<OwnedFd> {
    let flags = SocketFlags::CLOEXEC;
    let socket = socket_with(AddressFamily::UNIX, SocketType::SEQPACKET, flags, None)?;
    Ok(socket)
}

/// Ends the keeper that is found in a directory, and closes what it holds; whether there
/// was one. No daemon may run.
///
/// # Errors
/// It doesn't answer.
pub fn end(directory: &Path) -> io::Result<bool> {
    let path = path(directory);
    let Some(connection) = Connection::open(&path)? else {
        // Of one that was killed, perhaps.
        let _ = fs::remove_file(&path);
        return Ok(false);
    };
    connection.ask(Word::End, &[])?;
    connection.wait();
    let _ = fs::remove_file(&path);
    Ok(true)
}
