//! Probes, to other nodes' kernels and back; and heartbeats, which go the same way.

use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::AsRawFd as _;
use std::time::Duration;

use socket2::{Domain, Protocol, Socket, Type};
use ssi_abi::probe::{BYTES, MAGIC, PORT, Probe, VERSION, flag, kind};
use tokio::net::UdpSocket;

use super::{Ask, Beat, Heard, Reflection};
use crate::core::command::ProbeKey;
use crate::core::{NodeId, Number, View};
use crate::log::Heartbeat;

/// The socket that probes go from.
#[derive(Debug)]
pub struct Probes {
    socket: UdpSocket,
    own: IpAddr,
    /// Nonce of the last heartbeat of each member.
    beats: BTreeMap<NodeId, u64>,
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
            beats: BTreeMap::new(),
            strange: 0,
        })
    }

    /// Sends a probe to a member's first address of this socket's family. One that can't be
    /// sent is lost like any other.
    /// A lease that it renews lasts for `lease`.
    pub fn send(&self, view: &View, own: NodeId, ask: Ask, lease: Duration) {
        let [now, before] = &view.probe_keys;
        let key = if ask.old_key && before.id != 0 {
            before
        } else {
            now
        };
        let lease = u64::try_from(lease.as_nanos()).unwrap_or(u64::MAX);
        let (grant, lease) = ask.grant.map_or((0, 0), |clock| (clock, lease));
        let probe = Probe {
            kind: if ask.supervisor {
                kind::SUPERVISOR
            } else {
                kind::PROBE
            },
            nonce: ask.nonce,
            grant,
            lease,
            key_id: key.id,
            ..between(view, own, ask.to)
        };
        self.put(view, ask.to, probe, key);
    }

    /// Sends a heartbeat, or the answer to one, likewise.
    pub fn beat(&self, view: &View, own: NodeId, beat: Beat) {
        let said = beat.heartbeat;
        let probe = Probe {
            kind: if beat.reply {
                kind::SUPERVISOR_REPLY
            } else {
                kind::SUPERVISOR
            },
            nonce: beat.nonce,
            flags: flag::HEARTBEAT | said.generation << flag::GENERATION,
            clock: said.term,
            grant: said.log_term,
            lease: said.log_index,
            ..between(view, own, beat.to)
        };
        self.put(view, beat.to, probe, &view.probe_keys[0]);
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

    /// The next that has come, if there is one.
    pub fn next(&mut self, view: &View, own: NodeId) -> Option<Heard> {
        loop {
            let mut bytes = [0; BYTES + 1];
            match self.read(&mut bytes) {
                Some((BYTES, from)) => {
                    let mut whole = [0; BYTES];
                    whole.copy_from_slice(&bytes[..BYTES]);
                    match check(&whole, from, view, own) {
                        Some((id, probe, key)) if is_question(&probe) => {
                            let answer = Probe {
                                kind: kind::SUPERVISOR_REPLY,
                                ..probe.reflection(0, 0)
                            };
                            self.put(view, id, answer, key);
                        }
                        Some((id, probe, _)) => match self.heard(view, id, &probe) {
                            Some(heard) => return Some(heard),
                            None => self.strange += 1,
                        },
                        None => self.strange += 1,
                    }
                }
                Some(_) => self.strange += 1,
                None => return None,
            }
        }
    }

    /// What a member's datagram is; none: one that has come before.
    fn heard(&mut self, view: &View, from: NodeId, probe: &Probe) -> Option<Heard> {
        let nonce = probe.nonce;
        if probe.flags & flag::HEARTBEAT == 0 || probe.kind == kind::REFLECTION {
            return Some(Heard::Reflection(Reflection {
                from,
                nonce,
                clock: probe.clock,
                holds: probe.flags & flag::HOLDS != 0,
                supervisor: probe.kind == kind::SUPERVISOR_REPLY,
            }));
        }
        if probe.kind == kind::SUPERVISOR_REPLY {
            return Some(Heard::Agreed { from, nonce });
        }
        // The kernel sees to that too, if it has looked at it.
        if self.beats.get(&from).is_some_and(|last| nonce <= *last) {
            return None;
        }
        self.beats.retain(|id, _| view.has(*id));
        self.beats.insert(from, nonce);
        let heartbeat = Heartbeat {
            generation: probe.flags >> flag::GENERATION,
            term: probe.clock,
            log_term: probe.grant,
            log_index: probe.lease,
        };
        Some(Heard::Heartbeat {
            from,
            nonce,
            heartbeat,
        })
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

/// Whether a probe asks this node's `ssid` if it runs, and nothing else.
fn is_question(probe: &Probe) -> bool {
    probe.kind == kind::SUPERVISOR && probe.flags & flag::HEARTBEAT == 0
}

/// A datagram from one life of a node to another, with nothing in it and no tag.
fn between(view: &View, from: NodeId, to: NodeId) -> Probe {
    Probe {
        magic: MAGIC,
        version: VERSION,
        key_id: view.probe_keys[0].id,
        from: from.number.get(),
        to: to.number.get(),
        from_incarnation: from.incarnation,
        to_incarnation: to.incarnation,
        epoch: view.epoch,
        ..Probe::default()
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
