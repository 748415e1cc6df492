//! What the types alone cannot say about a configuration.

use std::collections::HashSet;

use super::{Config, Cvip, Member};

/// Longest interface name (`IFNAMSIZ` without its zero).
const LONGEST_INTERFACE: usize = 15;
/// Largest node number: clusterwide pids have 10 bits for it.
const MOST_NODES: u32 = 1023;

/// What is wrong with the configuration, if anything.
pub(super) fn meaning(config: &Config) -> Option<String> {
    nodes(config)
        .or_else(|| cvips(config))
        .or_else(|| config.network.interfaces.iter().find_map(|i| interface(i)))
        .or_else(|| seed(&config.cluster.seed))
        .or_else(|| sizes(config))
        .or_else(|| level(&config.log.level))
}

fn nodes(config: &Config) -> Option<String> {
    let (mut numbers, mut addresses) = (HashSet::new(), HashSet::new());
    for Member {
        number,
        name,
        address,
        address6,
    } in &config.cluster.nodes
    {
        if !(1..=MOST_NODES).contains(number) {
            return Some(format!(
                "node \"{name}\": a node's number is 1 to {MOST_NODES}, not {number}"
            ));
        }
        if !numbers.insert(*number) {
            return Some(format!("two nodes have the number {number}"));
        }
        let own = [address.map(Into::into), address6.map(Into::into)];
        let own: Vec<std::net::IpAddr> = own.into_iter().flatten().collect();
        if own.is_empty() {
            return Some(format!(
                "node {number} \"{name}\" has neither address nor address6"
            ));
        }
        for address in own {
            if !addresses.insert(address) {
                return Some(format!("two nodes have the address {address}"));
            }
        }
    }
    let own = config.node.number;
    if own > MOST_NODES {
        return Some(format!("node.number is 0 to {MOST_NODES}, not {own}"));
    }
    if !numbers.is_empty() && !numbers.contains(&own) {
        return Some(format!(
            "this node's number, {own}, is not in cluster.nodes"
        ));
    }
    None
}

fn cvips(config: &Config) -> Option<String> {
    let mut seen = HashSet::new();
    for Cvip {
        address,
        interface: name,
        director,
    } in &config.cvip
    {
        if address.is_unspecified() || address.is_multicast() || address.is_loopback() {
            return Some(format!("cvip {address}: not the address of one host"));
        }
        if !seen.insert(address) {
            return Some(format!("cvip {address} is there twice"));
        }
        if let Some(wrong) = interface(name) {
            return Some(format!("cvip {address}: {wrong}"));
        }
        let known = config.cluster.nodes.iter().any(|n| n.number == *director);
        if !known && *director != config.node.number {
            return Some(format!(
                "cvip {address}: its director, {director}, is not in cluster.nodes"
            ));
        }
    }
    None
}

fn interface(name: &str) -> Option<String> {
    let wrong = name.is_empty()
        || name.len() > LONGEST_INTERFACE
        || name.contains(|c: char| c == '/' || c.is_whitespace() || c.is_control())
        || [".", "..", "lo"].contains(&name);
    wrong.then(|| format!("\"{name}\" is not the name of an external interface"))
}

fn seed(seed: &str) -> Option<String> {
    let right =
        seed.is_empty() || (seed.len() == 16 && seed.bytes().all(|b| b.is_ascii_hexdigit()));
    (!right).then(|| format!("cluster.seed has 16 hex digits, unlike \"{seed}\""))
}

fn sizes(config: &Config) -> Option<String> {
    let lvs = &config.lvs;
    [
        ("conns4", lvs.conns4, 64),
        ("conns6", lvs.conns6, 64),
        ("table_entries", lvs.table_entries, ssi_abi::table::BLOCK),
    ]
    .into_iter()
    .find_map(|(name, size, least)| {
        let size = size?;
        (!(least..=1 << 28).contains(&size))
            .then(|| format!("lvs.{name} is {least} to {}, not {size}", 1 << 28))
    })
}

fn level(level: &str) -> Option<String> {
    tracing_subscriber::EnvFilter::try_new(level)
        .err()
        .map(|e| format!("log.level \"{level}\": {e}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrong(text: &str) -> String {
        let config: Config = toml::from_str(text).unwrap();
        meaning(&config).unwrap_or_default()
    }

    #[test]
    fn each_mistake_is_named() {
        for (text, part) in [
            ("[cluster]\nseed = \"123\"", "16 hex digits"),
            ("[log]\nlevel = \"a=b=c\"", "log.level"),
            ("[network]\ninterfaces = [\"../x\"]", "not the name of an"),
            ("[lvs]\nconns4 = 3", "lvs.conns4 is 64 to"),
            (
                "[[cluster.nodes]]\nnumber = 1\nname = \"a\"\naddress = \"10.0.0.1\"",
                "this node's number, 0, is not",
            ),
            ("[[cluster.nodes]]\nnumber = 0\nname = \"a\"", "1 to 1023"),
            (
                "[[cluster.nodes]]\nnumber = 1\nname = \"a\"",
                "neither address",
            ),
            (
                "[[cvip]]\naddress = \"10.0.0.1\"\ninterface = \"eth0\"\ndirector = 7",
                "its director, 7",
            ),
            (
                "[[cvip]]\naddress = \"127.0.0.1\"\ninterface = \"eth0\"\ndirector = 0",
                "not the address of one host",
            ),
        ] {
            assert!(wrong(text).contains(part), "{text}: {}", wrong(text));
        }
        assert_eq!(wrong("[lvs]\nconns4 = 4096"), "");
    }
}
