//! Sockets with the options that connections between nodes have.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use rand::RngExt as _;
use socket2::{Domain, Protocol, SockRef, Socket, Type};
use tokio::net::{TcpListener, TcpSocket, TcpStream};

use super::Refusal;
use crate::core::Lane;

/// Connections that wait to be accepted.
const BACKLOG: i32 = 128;
/// Where ports are taken from: Linux's own range for outgoing connections, which services
/// stay away from.
const PORTS: std::ops::Range<u16> = 32_768..60_992;
/// How many ports are tried.
const TRIES: usize = 32;

/// A socket that listens.
pub(in crate::runner) fn listener(address: SocketAddr) -> io::Result<TcpListener> {
    let domain = Domain::for_address(address);
    let socket = Socket::new(domain, Type::STREAM, Some(Protocol::TCP))?;
    // A restarted daemon must not wait for connections of the former one to time out.
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    TcpListener::from_std(socket.into())
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
