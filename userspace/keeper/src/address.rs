//! Which sockets listen where.

use std::net::SocketAddr;
use std::os::fd::OwnedFd;

use rustix::net::{getsockname, sockopt};

/// Takes those that listen at an address out of `sockets`, in their order.
pub(crate) fn listening_at(sockets: &mut Vec<OwnedFd>, address: SocketAddr) -> Vec<OwnedFd> {
    let (there, elsewhere) = std::mem::take(sockets)
        .into_iter()
        .partition(|socket| at(socket) == Some(address));
    *sockets = elsewhere;
    there
}

/// Where a socket listens, if it is one and does.
fn at(socket: &OwnedFd) -> Option<SocketAddr> {
    if !sockopt::socket_acceptconn(socket).unwrap_or(false) {
        return None;
    }
    getsockname(socket).ok()?.try_into().ok()
}

/// The same sockets once more.
///
/// # Errors
/// There are too many descriptors.
pub(crate) fn again(sockets: &[OwnedFd]) -> std::io::Result<Vec<OwnedFd>> {
    sockets.iter().map(OwnedFd::try_clone).collect()
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, UdpSocket};

    use super::*;

    #[test]
    fn only_what_listens_there_is_taken() {
        let one = TcpListener::bind("127.0.0.1:0").unwrap();
        let two = TcpListener::bind("[::1]:0").unwrap();
        let address = one.local_addr().unwrap();
        let deaf = UdpSocket::bind(address).unwrap();
        let mut all: Vec<OwnedFd> = vec![
            two.try_clone().unwrap().into(),
            one.try_clone().unwrap().into(),
            deaf.into(),
            one.into(),
        ];
        assert_eq!(listening_at(&mut all, address).len(), 2);
        assert_eq!(all.len(), 2);
        assert_eq!(listening_at(&mut all, two.local_addr().unwrap()).len(), 1);
        assert_eq!(listening_at(&mut all, address).len(), 0);
    }
}
