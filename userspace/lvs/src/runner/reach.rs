//! Whether there is a way to a server at all, before it is added.

use std::collections::HashSet;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, UdpSocket};

use ssi_api::lvs::Command;

use crate::core::{Reason, Refused};

/// Any port will do: nothing is sent.
const PORT: u16 = 9;

/// Refuses the first new real server that the kernel has no route to.
pub(super) fn check(commands: &[Command]) -> Result<(), Refused> {
    let mut reached = HashSet::new();
    for (index, command) in commands.iter().enumerate() {
        let Command::AddServer { server, .. } = command else {
            continue;
        };
        if !reached.insert(server.addr) {
            continue;
        }
        if let Err(error) = look(server.addr) {
            return Err(Refused {
                command: Some(index),
                reason: Reason::Unreachable(server.addr, in_words(&error)),
            });
        }
    }
    Ok(())
}

/// Connecting a datagram socket looks the route up, and that is all.
fn look(addr: IpAddr) -> io::Result<()> {
    let any: IpAddr = match addr {
        IpAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        IpAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    let answer = UdpSocket::bind((any, 0)).and_then(|socket| socket.connect((addr, PORT)));
    match answer {
        // Whatever else may be wrong (no descriptor left, no IPv6 here), it is no word
        // about the route.
        Err(error) if is_about_routes(&error) => Err(error),
        _ => Ok(()),
    }
}

fn is_about_routes(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NetworkUnreachable | io::ErrorKind::HostUnreachable
    )
}

fn in_words(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::NetworkUnreachable => "no route leads there",
        _ => "its route says unreachable",
    }
}
