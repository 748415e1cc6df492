//! Probes, to other nodes' kernels and back.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::AsRawFd as _;
use std::time::Duration;

use socket2::{Domain, Protocol, Socket, Type};
use ssi_abi::probe::{BYTES, MAGIC, PORT, Probe, VERSION, flag, kind};
use tokio::net::UdpSocket;

use super::{Ask, Reflection};
use crate::core::command::ProbeKey;
use crate::core::{NodeId, Number, View};

/// The socket that probes go from.
#[derive(Debug)]
pub struct Probes {
    socket: UdpSocket,
    own: IpAddr,
    /// Datagrams that were nothing we asked for.
    strange: u64,
}

impl Probes {
    /// A socket on the cluster's port at this node's address.
    ///
    /// # Errors
    /// The address isn't this machine's, or somebody else has the port.
    pub fn open(own: IpAddr) -> io::Result<Self> {
        Self::bind(own, PORT)
    }

    /// A socket of its own, for somebody who measures: what comes back goes to it, and not
    /// to the node's.
    ///
    /// # Errors
    /// The address isn't this machine's.
    pub fn apart(own: IpAddr) -> io::Result<Self> {
        Self::bind(own, 0)
    }

    fn bind(own: IpAddr, port: u16) -> io::Result<Self> {
        let domain = Domain::for_address(SocketAddr::new(own, port));
        let socket = Socket::new(domain, Type::DGRAM.nonblocking(), Some(Protocol::UDP))?;
        without_checksum(&socket, own.is_ipv6())?;
        socket.bind(&SocketAddr::new(own, port).into())?;
        Ok(Self {
            socket: UdpSocket::from_std(socket.into())?,
            own,
            strange: 0,
        })
    }

    /// Sends a probe to a member's first address of this socket's family. One that can't be
    /// sent is lost like any other.
    /// A lease that it renews lasts for `lease`.
    pub fn send(&self, view: &View, own: NodeId, ask: Ask, lease: Duration) {
        let key = view.probe_keys[0];
        let lease = u64::try_from(lease.as_nanos()).unwrap_or(u64::MAX);
        let (grant, lease) = ask.grant.map_or((0, 0), |clock| (clock, lease));
        let to = ask.to;
        let probe = Probe {
            magic: MAGIC,
            version: VERSION,
            kind: if ask.supervisor {
                kind::SUPERVISOR
            } else {
                kind::PROBE
            },
            key_id: key.id,
            from: own.number.get(),
            to: to.number.get(),
            from_incarnation: own.incarnation,
            to_incarnation: to.incarnation,
            nonce: ask.nonce,
            epoch: view.epoch,
            grant,
            lease,
            ..Probe::default()
        };
        self.put(view, to, probe, &key);
    }

    fn put(&self, view: &View, to: NodeId, mut probe: Probe, key: &ProbeKey) {
        let Some(member) = view.member(to) else {
            return;
        };
        let mut addresses = member.candidate.addresses.iter();
        let same = |address: &&IpAddr| address.is_ipv6() == self.own.is_ipv6();
        if let Some(address) = addresses.find(same) {
            probe.tag = probe.expected_tag(key.words[0], key.words[1]);
            let to = SocketAddr::new(*address, PORT);
            // What can't be sent is lost like any other.
            let _ = self.socket.try_send_to(&probe.to_bytes(), to);
        }
    }

    /// Waits until a probe can be sent: a fresh socket has to find that out first.
    pub async fn writable(&self) {
        if self.socket.writable().await.is_err() {
            // The runtime is about to end.
            std::future::pending::<()>().await;
        }
    }

    /// Waits until something has come.
    pub async fn readable(&self) {
        if self.socket.readable().await.is_err() {
            // The runtime is about to end.
            std::future::pending::<()>().await;
        }
    }

    /// The next reflection that has come, if there is one.
    pub fn next(&mut self, view: &View, own: NodeId) -> Option<Reflection> {
        loop {
            let mut bytes = [0; BYTES + 1];
            match self.read(&mut bytes) {
                Some((BYTES, from)) => {
                    let mut whole = [0; BYTES];
                    whole.copy_from_slice(&bytes[..BYTES]);
                    match check(&whole, from, view, own) {
                        Some((id, probe, key)) if probe.kind == kind::SUPERVISOR => {
                            let answer = Probe {
                                kind: kind::SUPERVISOR_REPLY,
                                ..probe.reflection(0, 0)
                            };
                            self.put(view, id, answer, key);
                        }
                        Some((id, back, _)) => {
                            return Some(Reflection {
                                from: id,
                                nonce: back.nonce,
                                clock: back.clock,
                                holds: back.flags & flag::HOLDS != 0,
                                supervisor: back.kind == kind::SUPERVISOR_REPLY,
                            });
                        }
                        None => self.strange += 1,
                    }
                }
                Some(_) => self.strange += 1,
                None => return None,
            }
        }
    }

    /// Reads and forgets whatever has come: this node is no member, and asked nobody.
    pub fn discard(&mut self) {
        let mut bytes = [0; BYTES + 1];
        while self.read(&mut bytes).is_some() {
            self.strange += 1;
        }
    }

    /// How many datagrams were nothing that this node asked for.
    #[must_use]
    pub fn strange(&self) -> u64 {
        self.strange
    }

    fn read(&self, bytes: &mut [u8]) -> Option<(usize, IpAddr)> {
        loop {
            match self.socket.try_recv_from(bytes) {
                Ok((length, from)) => return Some((length, from.ip())),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return None,
                // An ICMP error about an earlier probe: that one is lost.
                Err(_) => {}
            }
        }
    }
}

/// What a datagram says, if a member sent it to this life of this node and it is for `ssid`;
/// and the key that it is signed with.
fn check<'a>(
    bytes: &[u8; BYTES],
    from: IpAddr,
    view: &'a View,
    own: NodeId,
) -> Option<(NodeId, Probe, &'a ProbeKey)> {
    let probe = Probe::from_bytes(bytes);
    let mut keys = view.probe_keys.iter();
    let key = keys.find(|key| key.id != 0 && key.id == probe.key_id)?;
    let genuine = probe.is_known()
        && probe.kind != kind::PROBE
        && probe.tag == probe.expected_tag(key.words[0], key.words[1]);
    let to_us = (probe.to, probe.to_incarnation) == (own.number.get(), own.incarnation);
    if !genuine || !to_us {
        return None;
    }
    let id = NodeId {
        number: Number::new(probe.from)?,
        incarnation: probe.from_incarnation,
    };
    let member = view.member(id)?;
    let known = member.candidate.addresses.contains(&from);
    known.then_some((id, probe, key))
}

/// The tag protects a probe; the kernel that reflects it leaves the checksum at 0, and so
/// do we, so that no device has to fill it in.
fn without_checksum(socket: &Socket, v6: bool) -> io::Result<()> {
    /// `uapi/linux/udp.h`.
    const UDP_NO_CHECK6_TX: libc::c_int = 101;
    const UDP_NO_CHECK6_RX: libc::c_int = 102;
    let options: &[(libc::c_int, libc::c_int)] = if v6 {
        &[
            (libc::SOL_UDP, UDP_NO_CHECK6_TX),
            (libc::SOL_UDP, UDP_NO_CHECK6_RX),
        ]
    } else {
        &[(libc::SOL_SOCKET, libc::SO_NO_CHECK)]
    };
    for (level, name) in options {
        let on: libc::c_int = 1;
        // SAFETY: an open socket, and a value of the size that is said.
        let result = unsafe {
            libc::setsockopt(
                socket.as_raw_fd(),
                *level,
                *name,
                (&raw const on).cast(),
                size_of_val(&on) as libc::socklen_t,
            )
        };
        if result != 0 {
            return Err(io::Error::last_os_error());
        }
    }
    Ok(())
}
