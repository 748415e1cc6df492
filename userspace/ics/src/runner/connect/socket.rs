//! Sockets with the options that connections between nodes have.

use std::io;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::time::Duration;

use rand::RngExt as _;
use socket2::{Domain, Protocol, SockRef, Socket, Type};
use tokio::net::{TcpListener, TcpSocket, TcpStream};

use super::Refusal;
use crate::core::Lane;
use crate::runner::workers::WORKERS;

/// Connections that wait to be accepted, also while the daemon is restarted.
const BACKLOG: i32 = 1024;
/// Where ports are taken from: Linux's own range for outgoing connections, which services
/// stay away from.
const PORTS: std::ops::Range<u16> = 32_768..60_992;
/// How many ports are tried.
const TRIES: usize = 32;

/// Sockets that listen at one address, one for each of the [`WORKERS`], in their order. The
/// kernel spreads connections over them (`SO_REUSEPORT`, Linux 3.9) unless it is told which
/// lane is whose.
///
/// # Errors
/// Somebody else listens there, or the address is not this machine's.
pub fn listeners(address: SocketAddr) -> io::Result<Vec<OwnedFd>> {
    let mut sockets = Vec::with_capacity(WORKERS);
    for worker in 0..WORKERS {
        let domain = Domain::for_address(address);
        let socket = Socket::new(domain, Type::STREAM, Some(Protocol::TCP))?;
        // A restarted daemon must not wait for connections of the former one to time out.
        socket.set_reuse_address(true)?;
        socket.set_nonblocking(true)?;
        // The first shares the port only once it has it: with whoever listens there
        // already, it must not.
        socket.set_reuse_port(worker > 0)?;
        socket.bind(&address.into())?;
        socket.set_reuse_port(true)?;
        sockets.push(socket);
    }
    for socket in &sockets {
        socket.listen(BACKLOG)?;
    }
    Ok(sockets.into_iter().map(OwnedFd::from).collect())
}

/// A socket that listens already.
pub(in crate::runner) fn listener(socket: OwnedFd) -> io::Result<TcpListener> {
    let socket = std::net::TcpListener::from(socket);
    socket.set_nonblocking(true)?;
    TcpListener::from_std(socket)
}

/// A connection from a port of the lane.
pub(super) async fn connect(
    from: SocketAddr,
    to: SocketAddr,
    lane: Lane,
) -> Result<TcpStream, Refusal> {
    for _ in 0..TRIES {
        let port = rand::rng().random_range(PORTS) & !7 | u16::from(lane.number());
        let socket = match to {
            SocketAddr::V4(_) => TcpSocket::new_v4()?,
            SocketAddr::V6(_) => TcpSocket::new_v6()?,
        };
        socket.set_reuseaddr(true)?;
        let bound = socket.bind(SocketAddr::new(from.ip(), port));
        match bound {
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => continue,
            bound => bound?,
        }
        match socket.connect(to).await {
            Err(error) if error.kind() == io::ErrorKind::AddrNotAvailable => {}
            connected => return Ok(connected?),
        }
    }
    Err(Refusal::NoPort)
}

/// Sets what both ends set.
pub(super) fn prepare(stream: &TcpStream, silence: Duration) -> io::Result<()> {
    stream.set_nodelay(true)?;
    SockRef::from(stream).set_tcp_user_timeout(Some(silence))
}
