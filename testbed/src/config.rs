//! The `ssi.toml` and `hosts` of each machine.

use std::fmt::Write as _;

use crate::cgroup;
use crate::plan::{self, EXTERNAL, INTERCONNECT, Machine, Net};
use crate::state::{self, Wish};

/// Sizes that let fifteen nodes share a laptop.
const SIZES: &str = "conns4 = 65536\nconns6 = 65536\ntable_entries = 1048576\n";

/// The configuration of one node.
#[must_use]
pub fn of(node: u8, wish: &Wish) -> String {
    let mut text = String::new();
    let machine = Machine::Node(node);
    let [v4, v6] = machine.addresses(Net::Interconnect);
    let _ = write!(
        text,
        "[node]\nname = \"{}\"\naddresses = [\"{v4}\", \"{v6}\"]\n",
        machine.name()
    );
    for cvip in plan::cvips() {
        let _ = write!(
            text,
            "\n[[cvip]]\naddress = \"{cvip}\"\ninterface = \"{EXTERNAL}\"\n"
        );
    }
    let _ = write!(
        text,
        "\n[network]\ninterfaces = [\"{EXTERNAL}\", \"{INTERCONNECT}\"]\nmode = \"{}\"\n\n[lvs]\n{SIZES}",
        wish.mode
    );
    if let Some(services) = cgroup::services(machine) {
        let services = services.display();
        let _ = write!(text, "\n[keepalive]\ncgroup = \"{services}\"\n");
    }
    if wish.bypass {
        let shared = state::shared();
        let _ = write!(text, "\n[bpf]\nshared = \"{}\"\n", shared.display());
    }
    text
}

/// The `/etc/hosts` of a machine: every machine there can be, by the addresses at which
/// this one reaches it. `cluster` is the cluster's own address.
#[must_use]
pub fn hosts(machine: Machine) -> String {
    let mut text = "127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n".to_owned();
    let near = match machine {
        Machine::Node(_) => Net::Interconnect,
        Machine::Client => Net::External,
    };
    let nodes = (1..=plan::MOST).map(|number| (Machine::Node(number), near));
    for (other, net) in nodes.chain([(Machine::Client, Net::External)]) {
        for address in other.addresses(net) {
            let _ = writeln!(text, "{address} {}", other.name());
        }
    }
    for cvip in plan::cvips() {
        let _ = writeln!(text, "{cvip} cluster");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn machines_find_each_other_on_the_network_they_share() {
        let node = hosts(Machine::Node(1));
        assert!(node.contains("10.77.0.15 node15\n") && node.contains("fd77::2 node2\n"));
        assert!(node.contains("10.88.0.200 client\n"));
        assert!(hosts(Machine::Client).contains("10.88.0.15 node15\n"));
    }
}
