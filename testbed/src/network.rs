//! Bridges, cables and addresses, by `ip -batch`.

use std::fmt::Write as _;

use anyhow::Result;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::plan::{Machine, Net, SWITCH};
use crate::tool;

fn batch(lines: &str) -> Result<()> {
    tool::feed("ip", &["-batch", "-"], lines).map(drop)
}

/// Makes the namespace of the bridges, and the bridges.
///
/// # Errors
/// `ip` failed.
pub fn make_switch() -> Result<()> {
    tool::run("ip", &["netns", "add", SWITCH])?;
    for net in Net::ALL {
        let bridge = net.bridge();
        let lines = format!(
            "link add {bridge} type bridge stp_state 0 forward_delay 0 mcast_snooping 0\nlink set {bridge} up\n"
        );
        tool::feed("ip", &["-n", SWITCH, "-batch", "-"], &lines)?;
    }
    Ok(())
}

/// Makes a machine's namespace and plugs it in.
///
/// # Errors
/// `ip` failed.
pub fn plug_in(machine: Machine, mode: &str, mtu: u32) -> Result<()> {
    let netns = machine.netns();
    tool::run("ip", &["netns", "add", &netns])?;
    let mut cables = String::new();
    let mut ports = String::new();
    let mut inside = "link set lo up\n".to_owned();
    for &net in machine.nets() {
        let (port, interface, mac) = (net.port(machine), net.interface(), machine.mac(net));
        let mtu = if net == Net::Interconnect { mtu } else { 1500 };
        let _ = writeln!(
            cables,
            "link add {port} netns {SWITCH} mtu {mtu} type veth peer name {interface} netns {netns} mtu {mtu} address {mac}"
        );
        let _ = writeln!(ports, "link set {port} master {} up", net.bridge());
        let _ = writeln!(inside, "link set {interface} up");
        let [v4, v6] = machine.addresses(net);
        let _ = writeln!(inside, "addr add {v4}/24 dev {interface}");
        let _ = writeln!(inside, "addr add {v6}/64 dev {interface} nodad");
    }
    batch(&cables)?;
    tool::feed("ip", &["-n", SWITCH, "-batch", "-"], &ports)?;
    tool::feed("ip", &["-n", &netns, "-batch", "-"], &inside)?;
    if mode == "native" || mode == "generic" {
        prepare_for_xdp(machine)?;
    }
    Ok(())
}

/// XDP sends frames as they are: checksums that the sender left to the device would stay
/// wrong, and the receiving end of a veth takes redirected frames only while it polls,
/// which generic receive offload makes it do.
fn prepare_for_xdp(machine: Machine) -> Result<()> {
    let netns = machine.netns();
    for net in machine.nets() {
        let port = net.port(machine);
        tool::run(
            "ip",
            &[
                "netns",
                "exec",
                &netns,
                "ethtool",
                "-K",
                net.interface(),
                "tx",
                "off",
            ],
        )?;
        tool::run(
            "ip",
            &["netns", "exec", SWITCH, "ethtool", "-K", &port, "gro", "on"],
        )?;
    }
    Ok(())
}

/// Cuts all cables of these machines at one moment. Nobody is told.
pub fn unplug(machines: &[Machine]) {
    let mut lines = String::new();
    for machine in machines {
        for net in machine.nets() {
            let _ = writeln!(lines, "link set {} down", net.port(*machine));
        }
    }
    // Where there is no such port, there is nothing to cut.
    let _ = tool::feed("ip", &["-n", SWITCH, "-force", "-batch", "-"], &lines);
}

/// Removes a machine's namespace, with its interfaces and its bridge ports, and kills what
/// was moved into it from outside (`ip netns exec`).
pub fn pull_out(machine: Machine) {
    let netns = machine.netns();
    kill_inhabitants(&netns);
    // The ports before it: a namespace lives on while a dying process is in it.
    let ports = machine.nets().iter().map(|net| net.port(machine));
    let lines: String = ports.map(|port| format!("link del {port}\n")).collect();
    let _ = tool::feed("ip", &["-n", SWITCH, "-force", "-batch", "-"], &lines);
    let _ = tool::run("ip", &["netns", "del", &netns]);
}

/// Kills every process of a namespace, but for this one.
pub fn kill_inhabitants(netns: &str) {
    let pids = tool::run("ip", &["netns", "pids", netns]).unwrap_or_default();
    let own = std::process::id().cast_signed();
    for pid in pids.split_whitespace().filter_map(|pid| pid.parse().ok()) {
        if pid != own {
            // It may have ended meanwhile.
            let _ = kill(Pid::from_raw(pid), Signal::SIGKILL);
        }
    }
}

/// Every namespace that is the testbed's.
#[must_use]
pub fn namespaces() -> Vec<String> {
    let list = tool::run("ip", &["netns", "list"]).unwrap_or_default();
    let names = list.lines().filter_map(|line| line.split(' ').next());
    let ours = |name: &&str| {
        *name == SWITCH
            || name
                .strip_prefix("ssi-")
                .is_some_and(|rest| rest.parse::<Machine>().is_ok())
    };
    names.filter(ours).map(str::to_owned).collect()
}
