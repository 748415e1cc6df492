//! The packet path on this node's interfaces.

use std::collections::HashMap;

use anyhow::{Context, Result};
use ssi_abi::Addr;
use ssi_api::control::Attached;
use ssi_loader::{Attachment, Net, Options, Sizes, Working};
use ssi_lvs::runner::Cluster;

use crate::config::{Config, Mode};
use crate::nodes::Company;

pub(super) fn options(config: &Config) -> Options {
    let defaults = Sizes::default();
    let lvs = &config.lvs;
    Options {
        pins: Some(config.bpf.root.clone()),
        sizes: Sizes {
            conns4: lvs.conns4.unwrap_or(defaults.conns4),
            conns6: lvs.conns6.unwrap_or(defaults.conns6),
            table_entries: lvs.table_entries.unwrap_or(defaults.table_entries),
        },
    }
}

/// Attaches to the configured interfaces, and only to them.
pub(super) fn attach(net: &mut Net, config: &Config) -> Result<()> {
    if config.network.interfaces.is_empty() {
        tracing::warn!(
            "network.interfaces is empty: no packet comes by here; name the interfaces that \
             clients and other nodes are behind"
        );
    }
    for interface in &config.network.interfaces {
        let at = net
            .attach(interface, mode(config.network.mode))
            .with_context(|| format!("cannot put the packet path on {interface}"))?;
        tracing::info!("{interface}: {}{}", at.working, why(at));
    }
    Ok(())
}

/// Other nodes' tunnels are opened, nobody else's.
pub(super) fn peers(net: &Net, company: &Company) -> Result<()> {
    let wanted: HashMap<Addr, u32> = company
        .nodes
        .iter()
        .flat_map(|node| {
            let number = u32::from(node.number);
            let addresses = node.addresses.iter();
            addresses.map(move |address| ((*address).into(), number))
        })
        .collect();
    let peers = &net.maps().peers;
    for (address, _) in peers.dump().context("cannot read the peers")? {
        if !wanted.contains_key(&address) {
            peers.remove(&address).context("cannot remove a peer")?;
        }
    }
    for (address, number) in &wanted {
        peers.insert(address, number).context("cannot add a peer")?;
    }
    Ok(())
}

const fn mode(mode: Mode) -> ssi_loader::Mode {
    match mode {
        Mode::Auto => ssi_loader::Mode::Auto,
        Mode::Native => ssi_loader::Mode::Native,
        Mode::Generic => ssi_loader::Mode::Generic,
        Mode::Tc => ssi_loader::Mode::Tc,
    }
}

/// What better ways said.
pub(super) fn why(at: &Attachment) -> String {
    let refused: Vec<String> = at
        .refused
        .iter()
        .map(|(way, reason)| format!("{way}: {reason}"))
        .collect();
    if refused.is_empty() {
        String::new()
    } else {
        format!(" (not {})", refused.join("; not "))
    }
}

pub(super) fn attached(at: &Attachment) -> Attached {
    Attached {
        interface: at.interface.clone(),
        mode: match at.working {
            Working::Native => "native",
            Working::Generic => "generic",
            Working::Tcx | Working::Clsact => "tc",
        }
        .to_owned(),
        reason: why(at).trim().to_owned(),
    }
}

/// Who is who, for the scheduler.
pub(super) fn cluster(config: &Config, company: &Company) -> Cluster {
    let nodes = company.nodes.iter();
    let cvips = config.cvip.iter().map(|cvip| cvip.address);
    Cluster {
        nodes: nodes
            .flat_map(|node| node.addresses.iter().copied())
            .collect(),
        interconnect: company.interconnect.iter().copied().collect(),
        cvips: cvips
            .map(|address| (address, company.directed.contains(&address)))
            .collect(),
        elsewhere: company
            .directors
            .iter()
            .filter(|(_, director)| **director != company.number)
            .map(|(address, _)| *address)
            .collect(),
    }
}
