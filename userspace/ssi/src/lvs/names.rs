//! Names of hosts and ports, in both directions.
//!
//! What a user types is resolved as everywhere on this machine (getaddrinfo), because a
//! name typed is meant. What is printed without `-n` is named from `/etc/hosts` and
//! `/etc/services` alone: a list never waits for a DNS server.

use std::cell::{OnceCell, RefCell};
use std::collections::HashMap;
use std::fs;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};

use ssi_api::lvs::Protocol;

use super::grammar::Names;

/// Files larger than this are not read for names.
const LARGEST: u64 = 4 << 20;

/// The names of this machine. Files are read when the first name is wanted.
#[derive(Debug, Default)]
pub(crate) struct System {
    services: OnceCell<Services>,
    asked: RefCell<HashMap<String, Option<IpAddr>>>,
}

impl Names for System {
    fn host(&self, name: &str) -> Option<IpAddr> {
        if let Some(known) = self.asked.borrow().get(name) {
            return *known;
        }
        let found = (name, 0)
            .to_socket_addrs()
            .ok()
            .and_then(|mut addrs| addrs.next())
            .map(|addr| addr.ip());
        self.asked.borrow_mut().insert(name.to_owned(), found);
        found
    }

    fn port(&self, name: &str, protocol: Protocol) -> Option<u16> {
        self.services
            .get_or_init(Services::read)
            .ports
            .get(&(name.to_owned(), protocol))
            .copied()
    }
}

/// Names for printing; with `-n` there are none.
#[derive(Debug, Default)]
pub(crate) struct Printed {
    hosts: HashMap<IpAddr, String>,
    services: Services,
}

impl Printed {
    /// `numeric`: no names.
    pub(crate) fn new(numeric: bool) -> Self {
        if numeric {
            return Self::default();
        }
        Self {
            hosts: hosts(&bounded("/etc/hosts")),
            services: Services::read(),
        }
    }

    /// `host:port`, as ipvsadm writes it.
    pub(crate) fn endpoint(&self, addr: IpAddr, port: u16, protocol: Protocol) -> String {
        let host = self.hosts.get(&addr);
        let service = self.services.names.get(&(port, protocol));
        match (host, service) {
            (None, None) => SocketAddr::new(addr, port).to_string(),
            (Some(host), None) => format!("{host}:{port}"),
            (Some(host), Some(service)) => format!("{host}:{service}"),
            (None, Some(service)) if addr.is_ipv6() => format!("[{addr}]:{service}"),
            (None, Some(service)) => format!("{addr}:{service}"),
        }
    }
}

/// `/etc/services`.
#[derive(Debug, Default)]
struct Services {
    ports: HashMap<(String, Protocol), u16>,
    names: HashMap<(u16, Protocol), String>,
}

impl Services {
    fn read() -> Self {
        Self::parse(&bounded("/etc/services"))
    }

    fn parse(text: &str) -> Self {
        let mut services = Self::default();
        for line in text.lines() {
            let mut words = line.split('#').next().unwrap_or("").split_whitespace();
            let (Some(name), Some((port, protocol))) =
                (words.next(), words.next().and_then(|w| w.split_once('/')))
            else {
                continue;
            };
            let protocol = match protocol {
                "tcp" => Protocol::Tcp,
                "udp" => Protocol::Udp,
                _ => continue,
            };
            let Ok(port) = port.parse() else { continue };
            services
                .names
                .entry((port, protocol))
                .or_insert_with(|| name.to_owned());
            for name in std::iter::once(name).chain(words) {
                services
                    .ports
                    .entry((name.to_owned(), protocol))
                    .or_insert(port);
            }
        }
        services
    }
}

fn hosts(text: &str) -> HashMap<IpAddr, String> {
    let mut hosts = HashMap::new();
    for line in text.lines() {
        let mut words = line.split('#').next().unwrap_or("").split_whitespace();
        if let (Some(Ok(addr)), Some(name)) = (words.next().map(str::parse), words.next()) {
            hosts.entry(addr).or_insert_with(|| name.to_owned());
        }
    }
    hosts
}

fn bounded(path: &str) -> String {
    match fs::metadata(path) {
        Ok(file) if file.len() <= LARGEST => fs::read_to_string(path).unwrap_or_default(),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_the_files() {
        let services =
            Services::parse("http 80/tcp www # web\n#x 1/tcp\ndomain 53/udp\nq 1/sctp\n");
        assert_eq!(services.ports[&("www".to_owned(), Protocol::Tcp)], 80);
        assert_eq!(services.names[&(80, Protocol::Tcp)], "http");
        assert_eq!(services.names.len(), 2);
        let printed = Printed {
            hosts: hosts("127.0.0.1 localhost\nfd00::1 six alias\nnonsense\n"),
            services,
        };
        let show = |addr: &str, port| printed.endpoint(addr.parse().unwrap(), port, Protocol::Tcp);
        assert_eq!(show("127.0.0.1", 80), "localhost:http");
        assert_eq!(show("127.0.0.1", 81), "localhost:81");
        assert_eq!(show("fd00::2", 80), "[fd00::2]:http");
        assert_eq!(show("fd00::2", 81), "[fd00::2]:81");
        assert_eq!(show("10.0.0.1", 80), "10.0.0.1:http");
    }
}
