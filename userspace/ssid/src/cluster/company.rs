//! Who is around this node, as a view has it.

use std::collections::{BTreeSet, HashSet};
use std::net::IpAddr;

use ssi_clms::core::{NodeId, State, View};
use ssi_lvs::core::Absent;

use super::kept::Kept;
use super::start::resource;
use crate::config::Config;
use crate::nodes::{Company, Node};

/// The company of a member; `acts`: whether it holds a lease, and so what it owns.
pub(super) fn company(
    config: &Config,
    kept: &Kept,
    view: &View,
    own: Option<NodeId>,
    acts: bool,
) -> Company {
    let mut nodes: Vec<Node> = view
        .present()
        .map(|member| Node {
            number: member.id.number.get(),
            name: member.candidate.name.clone(),
            addresses: member.candidate.addresses.clone(),
        })
        .collect();
    if !nodes.iter().any(|node| node.number == kept.number) {
        nodes.push(myself(config, kept));
    }
    let owns = |address: IpAddr| {
        let held = view.owners.get(&resource(address));
        own.is_some() && acts && held.and_then(|held| held.owner) == own
    };
    let cvips = config.cvip.iter().map(|cvip| cvip.address);
    let directed: HashSet<IpAddr> = cvips.filter(|address| owns(*address)).collect();
    Company {
        number: kept.number,
        nodes,
        directed,
        directors: config
            .cvip
            .iter()
            .filter_map(|cvip| {
                let held = view.owners.get(&resource(cvip.address))?;
                Some((cvip.address, held.owner?.number.get()))
            })
            .collect(),
        interconnect: if own.is_some() {
            kept.addresses.clone()
        } else {
            Vec::new()
        },
    }
}

/// The company of a node that has left its cluster: it acts for nobody.
pub(super) fn left(config: &Config, kept: &Kept) -> Company {
    Company {
        number: kept.number,
        nodes: vec![myself(config, kept)],
        ..Company::default()
    }
}

/// Which nodes' servers take no new connections, and which get nothing at all.
pub(super) fn absent(view: &View) -> Absent {
    let of = |which: &dyn Fn(State) -> bool| -> BTreeSet<IpAddr> {
        let members = view.members.values();
        members
            .filter(|member| which(member.state))
            .flat_map(|member| member.candidate.addresses.iter().copied())
            .collect()
    };
    Absent {
        leaving: of(&|state| matches!(state, State::Shutdown | State::GoingDown)),
        down: of(&|state| !state.is_member() || state == State::ComingUp),
    }
}

fn myself(config: &Config, kept: &Kept) -> Node {
    Node {
        number: kept.number,
        name: crate::nodes::own_name(config),
        addresses: kept.addresses.clone(),
    }
}
