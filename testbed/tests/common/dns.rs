//! As much of DNS as it takes to ask dnsmasq who it is: one TXT question, one answer.

use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::time::Duration;

/// A client of `server` in the network of the calling thread, with a port of its own for as
/// long as it lives: another client gets another port, so its question is a new flow.
pub fn client(server: SocketAddr) -> io::Result<UdpSocket> {
    let any: SocketAddr = if server.is_ipv4() {
        ([0; 4], 0).into()
    } else {
        ([0; 16], 0).into()
    };
    let socket = UdpSocket::bind(any)?;
    socket.set_read_timeout(Some(Duration::from_secs(2)))?;
    socket.connect(server)?;
    Ok(socket)
}

/// Asks for the TXT record `name` once (no retry hides a lost packet).
pub fn txt(socket: &UdpSocket, name: &str, id: u16) -> io::Result<String> {
    socket.send(&question(name, id))?;
    let mut answer = [0; 512];
    let length = socket.recv(&mut answer)?;
    parse(&answer[..length], id).ok_or_else(|| io::Error::other("not an answer with a TXT record"))
}

/// RFC 1035 §4.1: header, then QNAME, QTYPE 16 (TXT), QCLASS 1 (IN).
fn question(name: &str, id: u16) -> Vec<u8> {
    let mut packet = id.to_be_bytes().to_vec();
    packet.extend([1, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
    for label in name.split('.') {
        packet.push(u8::try_from(label.len()).expect("a label has at most 63 octets"));
        packet.extend(label.as_bytes());
    }
    packet.extend([0, 0, 16, 0, 1]);
    packet
}

/// The text of the first answer, whose name is a pointer to the question's.
fn parse(packet: &[u8], id: u16) -> Option<String> {
    if packet.get(..2)? != id.to_be_bytes() || packet.get(6..8)? == [0, 0] {
        return None;
    }
    let mut at = 12;
    while *packet.get(at)? != 0 {
        at += 1 + usize::from(packet[at]);
    }
    // The question's end, then pointer, type, class, TTL and length: 2 + 2 + 2 + 4 + 2.
    let text = at + 5 + 12;
    let length = usize::from(*packet.get(text)?);
    String::from_utf8(packet.get(text + 1..text + 1 + length)?.to_vec()).ok()
}
