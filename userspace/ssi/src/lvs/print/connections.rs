use std::fmt::Write;
use std::net::SocketAddr;

use ssi_api::lvs::{ConnectionState, ConnectionView};

use super::super::names::Printed;

/// `-L -c`.
pub(crate) fn connections(entries: &[ConnectionView], names: &Printed) -> String {
    let mut text = format!(
        "SSI connection entries\npro expire {:<11} {:<18} {:<18} destination\n",
        "state", "source", "virtual"
    );
    for entry in entries {
        let protocol = entry.protocol;
        let name = |addr: SocketAddr| names.endpoint(addr.ip(), addr.port(), protocol);
        let expires = format!("{:02}:{:02}", entry.expires / 60, entry.expires % 60);
        let _ = writeln!(
            text,
            "{protocol:<3} {expires:<6} {:<11} {:<18} {:<18} {}",
            state(entry.state),
            name(entry.source),
            name(entry.virtual_addr),
            name(entry.destination),
        );
    }
    text
}

const fn state(state: ConnectionState) -> &'static str {
    match state {
        ConnectionState::SynRecv => "SYN_RECV",
        ConnectionState::Established => "ESTABLISHED",
        ConnectionState::FinWait => "FIN_WAIT",
        ConnectionState::Close => "CLOSE",
        ConnectionState::Udp => "UDP",
        ConnectionState::None => "NONE",
    }
}
