use std::net::IpAddr;

use ssi_api::lvs::{PortRange, Scheduler, ServerName, ServiceName};
use thiserror::Error;

use super::allocator::Full;

/// A list of commands that was not applied, and the command that was the reason.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{reason}")]
pub struct Refused {
    /// Position in the list, from 0; none if the list as a whole asks too much.
    pub command: Option<usize>,
    /// Why.
    pub reason: Reason,
}

/// Why a command was refused.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[expect(missing_docs, reason = "each message says it")]
pub enum Reason {
    #[error("virtual service {0} exists already; -E changes it")]
    ServiceExists(ServiceName),
    #[error("there is no virtual service {0}; -A adds it")]
    NoService(ServiceName),
    #[error("virtual service {0} has the real server {1} already; -e changes it")]
    ServerExists(ServiceName, ServerName),
    #[error("virtual service {0} has no real server {1}; -a adds it")]
    NoServer(ServiceName, ServerName),
    #[error("{0} cannot be a virtual address: it is {1}")]
    BadVirtual(IpAddr, &'static str),
    #[error("{0} cannot be a real server: it is {1}")]
    BadReal(IpAddr, &'static str),
    #[error("{0} cannot be a real server: {1}; `ip route get {0}` shows the same")]
    Unreachable(IpAddr, &'static str),
    #[error(
        "real server {server} of {service}: {method} needs the same address family on both sides; only -i (tunnel) crosses"
    )]
    Family {
        service: ServiceName,
        server: ServerName,
        method: &'static str,
    },
    #[error(
        "real server {server} of {service}: {method} keeps the port, so it must be {port}; -m (NAT) changes ports"
    )]
    Port {
        service: ServiceName,
        server: ServerName,
        method: &'static str,
        port: u16,
    },
    #[error(
        "real server {server} of {service}: NAT within a service of every port keeps the port; give port 0"
    )]
    PortOfAll {
        service: ServiceName,
        server: ServerName,
    },
    #[error("weight {0} is out of range; it is 0 to 65535")]
    Weight(u32),
    #[error("thresholds: lower ({lower}) must be below upper ({upper})")]
    Thresholds { upper: u32, lower: u32 },
    #[error("one-packet scheduling (-o) is for UDP services")]
    OnePacket,
    #[error(
        "a service of every port must be persistent (-p), unless its scheduler is sh or slot: otherwise one client's connections go to different servers"
    )]
    AllPorts,
    #[error("persistence granularity /{0} is out of range for this address family")]
    Prefix(u8),
    #[error("persistence of 0 seconds; leave -p out for none")]
    Persistence,
    #[error("mark {0} has no members; name them with --member tcp:ADDR:PORT")]
    NoMembers(u32),
    #[error("mark 0 is not a mark")]
    ZeroMark,
    #[error("{0} is named by its address and has no members of its own")]
    Members(ServiceName),
    #[error("member {0:?}: the first port is above the last")]
    Range(PortRange),
    #[error("member {addr} of mark {mark} is not of the mark's address family")]
    MemberFamily { mark: u32, addr: IpAddr },
    #[error("{addr} port {port} belongs to virtual service {owner} already")]
    Taken {
        addr: IpAddr,
        port: u16,
        owner: ServiceName,
    },
    #[error(
        "{scheduler} compares all servers of a service and takes at most {most}; {service} would have {has}. Use another scheduler, slot for example"
    )]
    TooManyToCompare {
        scheduler: Scheduler,
        service: ServiceName,
        has: usize,
        most: usize,
    },
    #[error("no room for another virtual service: there are {0}, the most there can be")]
    Services(usize),
    #[error("no room for another real server: there are {0}, the most there can be")]
    Servers(usize),
    #[error(
        "no room for more virtual addresses and ports: the most is {0}; a mark with fewer ports, or with port 0, needs fewer"
    )]
    Keys(usize),
    #[error(
        "no room for another service with the scheduler slot: there are {0}, the most there can be"
    )]
    SlotTables(usize),
    #[error("{0}")]
    Table(#[from] Full),
}
