//! Faults as nftables rules on the bridges: a frame goes from the sender's port to the
//! receiver's, and some don't arrive.

use std::fmt::Write as _;

use super::{ALL, Fault};
use crate::plan::{Machine, Net};

/// The whole ruleset, replacing what was there.
pub(super) fn of(faults: &[Fault]) -> String {
    let mut text = "table bridge ssi {}\ndelete table bridge ssi\n".to_owned();
    if faults.is_empty() {
        return text;
    }
    text += "table bridge ssi {\n  chain faults {\n    type filter hook forward priority 0;\n";
    for fault in faults {
        for net in fault.on.nets() {
            let _ = writeln!(text, "    {}", rule(fault, *net));
        }
    }
    text += "  }\n}\n";
    text
}

fn rule(fault: &Fault, net: Net) -> String {
    let mut rule = String::new();
    for (key, hosts) in [("iifname", &fault.from), ("oifname", &fault.to)] {
        if !hosts.is_empty() {
            let ports: Vec<_> = hosts.iter().map(|host| port(net, *host)).collect();
            let _ = write!(rule, "{key} {{ {} }} ", ports.join(", "));
        }
    }
    if fault.lost < ALL {
        let _ = write!(rule, "numgen random mod {ALL} < {} ", fault.lost);
    }
    rule + "counter drop"
}

fn port(net: Net, host: u8) -> String {
    let machine = if host == Machine::Client.host() {
        Machine::Client
    } else {
        Machine::Node(host)
    };
    format!("\"{}\"", net.port(machine))
}

#[cfg(test)]
mod tests {
    use super::super::On;
    use super::*;

    #[test]
    fn a_cut_one_way_and_a_loss() {
        let faults = [
            Fault {
                from: vec![1],
                to: vec![2, 3],
                lost: ALL,
                on: On::Ic,
            },
            Fault {
                from: vec![],
                to: vec![200],
                lost: 500,
                on: On::Ext,
            },
        ];
        let text = of(&faults);
        assert!(
            text.contains("iifname { \"ic1\" } oifname { \"ic2\", \"ic3\" } counter drop"),
            "{text}"
        );
        assert!(
            text.contains("oifname { \"ext200\" } numgen random mod 10000 < 500 counter drop"),
            "{text}"
        );
        assert!(!of(&[]).contains("chain"));
    }
}
