//! The `ssi.toml` of each node.

use std::fmt::Write as _;

use crate::plan::{self, CLUSTER, EXTERNAL, INTERCONNECT, Machine, Net};
use crate::state::Wish;

/// Sizes that let fifteen nodes share a laptop.
const SIZES: &str = "conns4 = 65536\nconns6 = 65536\ntable_entries = 1048576\n";

/// The configuration of one node, in a cluster of the `known` ones.
#[must_use]
pub fn of(node: u8, known: &[u8], wish: &Wish) -> String {
    let mut text = String::new();
    let name = Machine::Node(node).name();
    let Wish {
        mode,
        director,
        seed,
        ..
    } = wish;
    let _ = write!(
        text,
        "[node]\nnumber = {node}\nname = \"{name}\"\n\n[cluster]\nname = \"{CLUSTER}\"\nseed = \"{seed}\"\n"
    );
    for number in known {
        let machine = Machine::Node(*number);
        let [v4, v6] = machine.addresses(Net::Interconnect);
        let _ = write!(
            text,
            "\n[[cluster.nodes]]\nnumber = {number}\nname = \"{}\"\naddress = \"{v4}\"\naddress6 = \"{v6}\"\n",
            machine.name()
        );
    }
    for cvip in plan::cvips() {
        let _ = write!(
            text,
            "\n[[cvip]]\naddress = \"{cvip}\"\ninterface = \"{EXTERNAL}\"\ndirector = {director}\n"
        );
    }
    let _ = write!(
        text,
        "\n[network]\ninterfaces = [\"{EXTERNAL}\", \"{INTERCONNECT}\"]\nmode = \"{mode}\"\n\n[lvs]\n{SIZES}"
    );
    text
}
