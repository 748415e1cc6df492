//! What forwarding should make of a packet.

use std::net::IpAddr;

use super::{Body, Packet};
use crate::topology::{INSIDE_MAC, OUTSIDE_MAC, Real, TTL};

impl Packet {
    /// One hop further.
    pub fn hop(mut self) -> Self {
        self.ip.hops -= 1;
        self
    }

    /// To a server's MAC address, from ours on its side.
    pub fn to(self, server: &Real) -> Self {
        let own = if server.outside {
            OUTSIDE_MAC
        } else {
            INSIDE_MAC
        };
        self.macs(server.mac, own)
    }

    /// Direct routing.
    pub fn direct(self, server: &Real) -> Self {
        self.hop().to(server)
    }

    /// Inside a tunnel to a server.
    pub fn tunnel(self, server: &Real) -> Self {
        let mut outer = Self::new(server.source(), server.addr)
            .hops(TTL)
            .class(self.ip.class)
            .to(server);
        outer.ip.id = 0;
        outer.padding = self.padding;
        outer.carrying(&self.hop())
    }

    /// NAT, towards a server.
    pub fn nat(self, server: &Real, port: u16) -> Self {
        self.destined(server.addr, port).direct(server)
    }

    /// With another destination.
    pub fn destined(mut self, addr: IpAddr, port: u16) -> Self {
        self.ip.destination = addr;
        match &mut self.ip.body {
            Body::Tcp(tcp) => tcp.destination = port,
            Body::Udp(udp) => udp.destination = port,
            _ => {}
        }
        self
    }

    /// From another source.
    pub fn sourced(mut self, addr: IpAddr, port: u16) -> Self {
        self.ip.source = addr;
        match &mut self.ip.body {
            Body::Tcp(tcp) => tcp.source = port,
            Body::Udp(udp) => udp.source = port,
            _ => {}
        }
        self
    }

    /// The answer's addresses and ports.
    pub fn reversed(mut self) -> Self {
        std::mem::swap(&mut self.ip.source, &mut self.ip.destination);
        match &mut self.ip.body {
            Body::Tcp(tcp) => std::mem::swap(&mut tcp.source, &mut tcp.destination),
            Body::Udp(udp) => std::mem::swap(&mut udp.source, &mut udp.destination),
            _ => {}
        }
        self
    }
}
