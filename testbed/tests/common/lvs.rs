//! Virtual services, defined with `ssi lvs` as a user would.

use std::net::{IpAddr, SocketAddr};
use std::thread;
use std::time::{Duration, Instant};

use super::host::Host;

/// A virtual service under test.
#[derive(Clone, Copy, Debug)]
pub struct Service {
    /// `-t` or `-u`.
    pub protocol: &'static str,
    /// The virtual address and port.
    pub address: SocketAddr,
}

impl Service {
    /// A TCP service.
    pub fn tcp(addr: IpAddr, port: u16) -> Self {
        Self {
            protocol: "-t",
            address: SocketAddr::new(addr, port),
        }
    }

    /// A UDP service.
    pub fn udp(addr: IpAddr, port: u16) -> Self {
        Self {
            protocol: "-u",
            address: SocketAddr::new(addr, port),
        }
    }

    /// Adds it on `node`.
    #[track_caller]
    pub fn add(&self, node: Host, scheduler: &str) {
        self.lvs(node, "-A", &["-s", scheduler]);
    }

    /// Adds a real server, with `method` being `-g`, `-i` or `-m`.
    #[track_caller]
    pub fn add_server(&self, node: Host, server: SocketAddr, method: &str, weight: u32) {
        let (server, weight) = (server.to_string(), weight.to_string());
        self.lvs(node, "-a", &["-r", &server, method, "-w", &weight]);
    }

    /// Changes a real server's weight.
    #[track_caller]
    pub fn set_weight(&self, node: Host, server: SocketAddr, method: &str, weight: u32) {
        let (server, weight) = (server.to_string(), weight.to_string());
        self.lvs(node, "-e", &["-r", &server, method, "-w", &weight]);
    }

    /// Changes the weights of several real servers, all at once.
    #[track_caller]
    pub fn set_weights(&self, node: Host, servers: &[SocketAddr], method: &str, weight: u32) {
        let (protocol, address) = (self.protocol, self.address);
        let line = |server: &SocketAddr| {
            format!("-e {protocol} {address} -r {server} {method} -w {weight}\n")
        };
        let list: String = servers.iter().map(line).collect();
        node.feed(&["ssi", "lvs", "-R"], list.as_bytes());
    }

    /// Removes a real server.
    #[track_caller]
    pub fn remove_server(&self, node: Host, server: SocketAddr) {
        self.lvs(node, "-d", &["-r", &server.to_string()]);
    }

    /// Waits until `node` knows its way to every real server. It asks for their MAC
    /// addresses when they are added, and until it has one, what is for that server is lost
    /// (TCP sends again, a single datagram does not).
    #[track_caller]
    pub fn wait_for_servers(&self, node: Host) {
        let end = Instant::now() + Duration::from_secs(5);
        let list = || {
            node.run(&["ssi", "lvs", "-L", "-n", "-o", "json"])
                .replace(' ', "")
        };
        while list().contains("\"reachable\":false") {
            assert!(
                Instant::now() < end,
                "no way to a real server of {}",
                self.address
            );
            thread::sleep(Duration::from_millis(20));
        }
    }

    #[track_caller]
    fn lvs(&self, node: Host, verb: &str, rest: &[&str]) {
        let address = self.address.to_string();
        let mut command = vec!["ssi", "lvs", verb, self.protocol, &address];
        command.extend(rest);
        node.run(&command);
    }
}
