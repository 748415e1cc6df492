//! The first process of a machine: makes it a machine, starts what runs on it, reaps.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use nix::unistd::{dup2_stdout, sethostname};

use super::{READY, machine_of, mounts, supervise};
use crate::plan::Machine;

/// What a node does with packets that are for the cluster: several interfaces, one address
/// on all nodes' loopback. (`ssid` sets what it needs on interfaces of its own.)
const SYSCTLS: &[(&str, &str)] = &[
    ("net/ipv4/ip_forward", "1"),
    ("net/ipv4/conf/all/rp_filter", "0"),
    ("net/ipv4/conf/default/rp_filter", "0"),
    ("net/ipv4/conf/ic0/rp_filter", "0"),
    ("net/ipv4/conf/eth0/rp_filter", "0"),
    ("net/ipv6/conf/all/forwarding", "1"),
    ("net/ipv6/conf/all/accept_dad", "0"),
];

/// Runs until the machine is told to end.
///
/// # Errors
/// The machine could not be made.
pub fn run(host: &str, daemon: &str) -> Result<()> {
    if std::process::id() != 1 {
        bail!("this is for the first process of a new machine only: `ssi-testbed start` makes one");
    }
    let machine = machine_of(host)?;
    sethostname(machine.name()).context("setting the host name")?;
    mounts::make(machine)?;
    if matches!(machine, Machine::Node(_)) {
        for (name, value) in SYSCTLS {
            // A kernel without IPv6 lacks some.
            let _ = fs::write(Path::new("/proc/sys").join(name), value);
        }
    }
    eprintln!("{machine}: up");
    println!("{READY}");
    // Nobody listens any more; what is said goes to the log.
    dup2_stdout(std::io::stderr()).context("redirecting output")?;
    supervise::run(daemon == "ssid")
}
