//! The way around the network stack to nodes that share this kernel.

use std::fmt::Debug;
use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsFd as _, BorrowedFd};

use tokio::net::TcpStream;
use tokio::net::tcp::OwnedReadHalf;

use super::ics::Shared;

/// Who can lead a connection around the network stack, if its other end is on this machine.
pub trait Bypass: Debug + Send + Sync {
    /// Takes this end of a connection in. The other end is asked to take in its own; while
    /// only one is in, the stack carries everything.
    ///
    /// It is called for each connection when this end has read all that the other end has
    /// sent, and the other end sends nothing more before it hears of this end: so what goes
    /// around the stack can't overtake what went through it.
    ///
    /// # Errors
    /// It can't be, and why: the connection stays as it is.
    fn join(&self, socket: BorrowedFd<'_>, local: SocketAddr, remote: SocketAddr)
    -> io::Result<()>;
}

/// A stream that has a socket below.
pub(super) trait Below {
    fn socket(&self) -> &TcpStream;
}

impl Below for TcpStream {
    fn socket(&self) -> &TcpStream {
        self
    }
}

impl Below for OwnedReadHalf {
    fn socket(&self) -> &TcpStream {
        self.as_ref()
    }
}

/// Takes a connection in, if there is a way around the stack at all.
pub(super) fn join(shared: &Shared, stream: &impl Below) {
    let Some(bypass) = &shared.config.bypass else {
        return;
    };
    let socket = stream.socket();
    let joined = socket
        .local_addr()
        .and_then(|local| Ok((local, socket.peer_addr()?)))
        .and_then(|(local, remote)| bypass.join(socket.as_fd(), local, remote));
    if let Err(error) = joined {
        tracing::warn!("ics: a connection stays in the network stack: {error}");
    }
}
