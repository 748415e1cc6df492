//! What the types alone cannot say about a configuration.

use std::collections::HashSet;

use super::{Config, Cvip};

/// Longest interface name (`IFNAMSIZ` without its zero).
const LONGEST_INTERFACE: usize = 15;
/// Most addresses of one node.
const MOST_ADDRESSES: usize = 8;
/// The longest that an external fencing may take, seconds.
const LONGEST_FENCING: u64 = 600;

/// What is wrong with the configuration, if anything.
pub(super) fn meaning(config: &Config) -> Option<String> {
    nodes(config)
        .or_else(|| classes(config))
        .or_else(|| speed(config.node.speed))
        .or_else(|| cvips(config))
        .or_else(|| config.network.interfaces.iter().find_map(|i| interface(i)))
        .or_else(|| fencing(config))
        .or_else(|| tree(config))
        .or_else(|| keepalive(config))
        .or_else(|| sizes(config))
        .or_else(|| level(&config.log.level))
}

fn nodes(config: &Config) -> Option<String> {
    let addresses = &config.node.addresses;
    if addresses.len() > MOST_ADDRESSES {
        return Some(format!(
            "node.addresses has {} addresses, and {MOST_ADDRESSES} are the most",
            addresses.len()
        ));
    }
    let mut seen = HashSet::new();
    addresses.iter().find_map(|address| {
        if address.is_unspecified() || address.is_multicast() {
            return Some(format!(
                "node.addresses: {address} is not the address of one host"
            ));
        }
        (!seen.insert(address)).then(|| format!("node.addresses has {address} twice"))
    })
}

/// Longest name of a class.
const LONGEST_CLASS: usize = 64;

fn classes(config: &Config) -> Option<String> {
    let fine = |name: &str| {
        let known = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        (1..=LONGEST_CLASS).contains(&name.len()) && name.chars().all(known)
    };
    let wrong = config.node.classes.iter().find(|name| !fine(name))?;
    Some(format!(
        "node.classes: \"{wrong}\" is no name: letters, digits, -, _ and . make one"
    ))
}

/// The fastest processor that is believed, of which 10,000 is standard.
const FASTEST: u32 = 1_000_000;

fn speed(speed: u32) -> Option<String> {
    let fine = (1..=FASTEST).contains(&speed);
    (!fine).then(|| format!("node.speed = {speed}: from 1 to {FASTEST}; 10000 is standard"))
}

fn fencing(config: &Config) -> Option<String> {
    let cluster = &config.cluster;
    if !(1..=LONGEST_FENCING).contains(&cluster.fence_timeout) {
        return Some(format!(
            "cluster.fence_timeout is 1 to {LONGEST_FENCING} seconds, not {}",
            cluster.fence_timeout
        ));
    }
    let program = cluster.fence.first()?;
    (!program.starts_with('/'))
        .then(|| format!("cluster.fence: \"{program}\" is no absolute path of a program"))
}

fn tree(config: &Config) -> Option<String> {
    let proc = &config.tree.proc;
    let own = proc.starts_with("/proc") || proc.parent().is_none();
    if proc.as_os_str().is_empty() || (proc.is_absolute() && !own) {
        return None;
    }
    let name = proc.display();
    Some(format!(
        "tree.proc: \"{name}\" is no absolute path outside /proc where something can be mounted"
    ))
}

/// The longest that a hook may take, seconds.
const LONGEST_HOOK: u64 = 3_600;

fn keepalive(config: &Config) -> Option<String> {
    let (keepalive, hooks) = (&config.keepalive, &config.hooks);
    if !(1..=LONGEST_HOOK).contains(&hooks.timeout) {
        return Some(format!(
            "hooks.timeout is 1 to {LONGEST_HOOK} seconds, not {}",
            hooks.timeout
        ));
    }
    let none = keepalive.cgroup.as_os_str().is_empty();
    [
        ("keepalive.cgroup", &keepalive.cgroup, none),
        ("keepalive.logs", &keepalive.logs, false),
        ("hooks.nodeup", &hooks.nodeup, false),
        ("hooks.nodedown", &hooks.nodedown, false),
    ]
    .into_iter()
    .find(|(_, path, fine)| !fine && !path.is_absolute())
    .map(|(name, path, _)| format!("{name}: \"{}\" is no absolute path", path.display()))
}

fn cvips(config: &Config) -> Option<String> {
    let mut seen = HashSet::new();
    for Cvip {
        address,
        interface: name,
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
            ("[cluster]\nfence = [\"ipmi\"]", "no absolute path"),
            ("[node]\nclasses = [\"a b\"]", "is no name"),
            ("[node]\nspeed = 0", "10000 is standard"),
            ("[cluster]\nfence_timeout = 0", "1 to 600 seconds"),
            ("[log]\nlevel = \"a=b=c\"", "log.level"),
            ("[keepalive]\nlogs = \"x\"", "keepalive.logs"),
            ("[hooks]\ntimeout = 0", "1 to 3600 seconds"),
            ("[network]\ninterfaces = [\"../x\"]", "not the name of an"),
            ("[lvs]\nconns4 = 3", "lvs.conns4 is 64 to"),
            (
                "[node]\naddresses = [\"10.0.0.1\", \"10.0.0.1\"]",
                "has 10.0.0.1 twice",
            ),
            ("[node]\naddresses = [\"::\"]", "not the address of one"),
            (
                "[[cvip]]\naddress = \"10.0.0.1\"\ninterface = \"e\"\n\
                 [[cvip]]\naddress = \"10.0.0.1\"\ninterface = \"e\"",
                "is there twice",
            ),
            (
                "[[cvip]]\naddress = \"127.0.0.1\"\ninterface = \"eth0\"",
                "not the address of one host",
            ),
        ] {
            assert!(wrong(text).contains(part), "{text}: {}", wrong(text));
        }
        assert_eq!(wrong("[lvs]\nconns4 = 4096"), "");
    }
}
