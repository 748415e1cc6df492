//! Addresses as ipvsadm writes them: `host`, `host:port`, `[v6]:port`, `v6`.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ssi_api::lvs::{PortRange, Protocol};

use super::{Names, UsageError};

fn bad(what: &'static str, text: &str, why: impl Into<String>) -> UsageError {
    UsageError::BadValue {
        what,
        value: text.to_owned(),
        why: why.into(),
    }
}

/// An address with perhaps a port. `what` names it in errors.
pub(super) fn endpoint(
    what: &'static str,
    text: &str,
    protocol: Protocol,
    names: &dyn Names,
) -> Result<(IpAddr, Option<u16>), UsageError> {
    let (host, port_text) = split(what, text)?;
    let addr = host_addr(what, host, names)?;
    let port = port_text
        .map(|port_text| port(what, text, port_text, protocol, names))
        .transpose()?;
    Ok((addr, port))
}

/// Host and port of `text`, as written.
fn split<'a>(what: &'static str, text: &'a str) -> Result<(&'a str, Option<&'a str>), UsageError> {
    if let Some(inside) = text.strip_prefix('[') {
        let (host, after) = inside
            .split_once(']')
            .ok_or_else(|| bad(what, text, "the ] is missing"))?;
        if host.parse::<Ipv6Addr>().is_err() {
            return Err(bad(what, text, "no IPv6 address between the brackets"));
        }
        return match after.strip_prefix(':') {
            Some(port) => Ok((host, Some(port))),
            None if after.is_empty() => Ok((host, None)),
            None => Err(bad(what, text, "expected :port after the ]")),
        };
    }
    if text.parse::<Ipv6Addr>().is_ok() {
        return Ok((text, None));
    }
    Ok(match text.rsplit_once(':') {
        Some((host, _)) if host.contains(':') => {
            return Err(bad(
                what,
                text,
                "no IPv6 address; with a port write [address]:port",
            ));
        }
        Some((host, port)) => (host, Some(port)),
        None => (text, None),
    })
}

fn host_addr(what: &'static str, host: &str, names: &dyn Names) -> Result<IpAddr, UsageError> {
    let addr = match host.parse::<IpAddr>() {
        Ok(addr) => addr,
        // Digits and dots that are no address are a slip of the finger, not a host's name.
        Err(_) if host.is_empty() || host.bytes().all(|b| b.is_ascii_digit() || b == b'.') => {
            return Err(bad(what, host, "not an IP address"));
        }
        Err(_) => names
            .host(host)
            .ok_or_else(|| bad(what, host, "neither an IP address nor a known host"))?,
    };
    let addr = addr.to_canonical();
    let usable = match addr {
        IpAddr::V4(v4) => !(v4.is_multicast() || v4.is_broadcast()),
        IpAddr::V6(v6) => !v6.is_multicast(),
    };
    if addr.is_unspecified() || !usable {
        return Err(bad(what, host, "not the address of one host"));
    }
    Ok(addr)
}

fn port(
    what: &'static str,
    whole: &str,
    text: &str,
    protocol: Protocol,
    names: &dyn Names,
) -> Result<u16, UsageError> {
    if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) {
        return text
            .parse()
            .map_err(|_| bad(what, whole, "a port is 0 to 65535"));
    }
    names.port(text, protocol).ok_or_else(|| {
        bad(
            what,
            whole,
            format!("\"{text}\" is neither a port nor a {protocol} service of /etc/services"),
        )
    })
}

/// `tcp:HOST[:PORT[-PORT]]`: what carries a mark.
pub(super) fn member(text: &str, names: &dyn Names) -> Result<PortRange, UsageError> {
    const WHAT: &str = "member";
    let (protocol, rest) = text
        .split_once(':')
        .ok_or_else(|| bad(WHAT, text, "write it tcp:ADDRESS:PORT[-PORT] or udp:…"))?;
    let protocol = match protocol {
        "tcp" | "TCP" => Protocol::Tcp,
        "udp" | "UDP" => Protocol::Udp,
        _ => return Err(bad(WHAT, text, "starts with neither tcp: nor udp:")),
    };
    let (host, ports) = split(WHAT, rest)?;
    let addr = host_addr(WHAT, host, names)?;
    let (first, last) = match ports {
        None => (0, 0),
        Some(ports) => match ports.split_once('-') {
            // A service's name may have a dash in it too.
            Some((first, last)) if first.bytes().all(|b| b.is_ascii_digit()) => (
                port(WHAT, text, first, protocol, names)?,
                port(WHAT, text, last, protocol, names)?,
            ),
            _ => {
                let port = port(WHAT, text, ports, protocol, names)?;
                (port, port)
            }
        },
    };
    if first > last || (first == 0 && last != 0) {
        return Err(bad(WHAT, text, "a range of ports goes up, from 1 on"));
    }
    Ok(PortRange {
        protocol,
        addr,
        first,
        last,
    })
}

/// A netmask (`255.255.255.0`) or, for IPv6, a prefix length: leading bits that count.
/// `None`: all of them.
pub(super) fn netmask(text: &str, v6: bool) -> Result<Option<u8>, UsageError> {
    const WHAT: &str = "netmask";
    let bits = if v6 { 128 } else { 32 };
    let prefix = if let Ok(prefix) = text.parse::<u8>() {
        if prefix == 0 || prefix > bits {
            return Err(bad(
                WHAT,
                text,
                format!("a prefix length is 1 to {bits} here"),
            ));
        }
        prefix
    } else if v6 {
        return Err(bad(WHAT, text, "for IPv6 it is a prefix length, 1 to 128"));
    } else {
        let mask: u32 = text
            .parse::<Ipv4Addr>()
            .map_err(|_| bad(WHAT, text, "write it 255.255.255.0"))?
            .into();
        let prefix = mask.leading_ones();
        if prefix + mask.trailing_zeros() != 32 && mask != 0 {
            return Err(bad(WHAT, text, "its ones must come before its zeros"));
        }
        u8::try_from(prefix).unwrap_or(32)
    };
    Ok((prefix != bits).then_some(prefix))
}

#[cfg(test)]
mod tests {
    use super::super::testing::Fixed;
    use super::*;

    #[test]
    fn every_way_to_write_an_address() {
        let read =
            |text| endpoint("address", text, Protocol::Tcp, &Fixed).map_err(|e| e.to_string());
        let v4 = |s: &str| s.parse::<IpAddr>().unwrap();
        assert_eq!(read("10.0.0.1:80"), Ok((v4("10.0.0.1"), Some(80))));
        assert_eq!(read("10.0.0.1"), Ok((v4("10.0.0.1"), None)));
        assert_eq!(read("10.0.0.1:http"), Ok((v4("10.0.0.1"), Some(80))));
        assert_eq!(read("www:http"), Ok((v4("192.0.2.7"), Some(80))));
        assert_eq!(read("[fd00::1]:80"), Ok((v4("fd00::1"), Some(80))));
        assert_eq!(read("[fd00::1]"), Ok((v4("fd00::1"), None)));
        assert_eq!(read("fd00::1"), Ok((v4("fd00::1"), None)));
        for (text, part) in [
            ("10.0.0:80", "not an IP address"),
            ("300.0.0.1:80", "not an IP address"),
            ("10.0.0.1:99999", "0 to 65535"),
            ("10.0.0.1:frob", "neither a port"),
            ("10.0.0.1:", "neither a port"),
            (":80", "not an IP address"),
            ("nowhere:80", "nor a known host"),
            ("[fd00::1", "] is missing"),
            ("[fd00::1]80", ":port after"),
            ("[10.0.0.1]:80", "no IPv6 address"),
            ("fd00::zz:80", "[address]:port"),
            ("0.0.0.0:80", "not the address of one host"),
            ("224.0.0.1:80", "not the address of one host"),
            ("[ff02::1]:80", "not the address of one host"),
        ] {
            let error = read(text).unwrap_err();
            assert!(error.contains(part), "{text}: {error}");
        }
    }

    #[test]
    fn members_and_masks() {
        let range = member("udp:[fd00::1]:6000-6100", &Fixed).unwrap();
        assert_eq!((range.first, range.last), (6000, 6100));
        assert_eq!(member("tcp:10.0.0.1", &Fixed).unwrap().last, 0);
        assert_eq!(member("tcp:10.0.0.1:http-alt", &Fixed).unwrap().first, 8080);
        for text in ["10.0.0.1:80", "tcp:10.0.0.1:9-8", "tcp:10.0.0.1:0-9", "tcp"] {
            assert!(member(text, &Fixed).is_err(), "{text}");
        }
        assert_eq!(netmask("255.255.255.0", false).unwrap(), Some(24));
        assert_eq!(netmask("24", false).unwrap(), Some(24));
        assert_eq!(netmask("255.255.255.255", false).unwrap(), None);
        assert_eq!(netmask("0.0.0.0", false).unwrap(), Some(0));
        assert_eq!(netmask("64", true).unwrap(), Some(64));
        assert_eq!(netmask("128", true).unwrap(), None);
        for (text, v6) in [
            ("255.0.255.0", false),
            ("33", false),
            ("0", true),
            ("255.0.0.0", true),
        ] {
            assert!(netmask(text, v6).is_err(), "{text}");
        }
    }
}
