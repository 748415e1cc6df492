//! The one place that knows loader and scheduler: opens them, feeds them, asks them.

use std::collections::HashMap;

use anyhow::{Context, Result};
use ssi_abi::{Addr, counter};
use ssi_api::control::{Attached, Counted, Failure, FailureKind, Feature, Reply, Support};
use ssi_api::lvs::{Command, ServiceName, Timeouts};
use ssi_loader::{Attachment, LoadError, Net, Options, Sizes, Working, kernel};

use crate::config::{Config, Mode};
use crate::nodes;

/// The packet path and the scheduler that drives it.
pub(crate) struct DataPath {
    net: Net,
}

impl DataPath {
    /// Loads the packet path, or takes over the one that is there, and attaches it.
    pub(crate) fn open(config: &Config) -> Result<Self> {
        let mut net = Net::open(&options(config)).context("cannot load the packet path")?;
        for (name, is, asked) in &net.adopted().sizes {
            tracing::warn!(
                "{name} has {is} entries, not {asked}: a size changes only by `ssid --unload`"
            );
        }
        peers(&net, config)?;
        attach(&mut net, config)?;
        net.detach_others();
        Ok(Self { net })
    }

    /// Takes what may change while the daemon runs.
    pub(crate) fn reconfigure(&mut self, config: &Config) -> Result<()> {
        peers(&self.net, config)?;
        attach(&mut self.net, config)
    }

    /// Whether an earlier daemon's packet path was taken over.
    pub(crate) fn adopted(&self) -> bool {
        self.net.adopted().maps
    }

    /// Where the programs are attached.
    pub(crate) fn attached(&self) -> Vec<Attached> {
        self.net.attachments().iter().map(attached).collect()
    }

    /// What this kernel offers, and what our interfaces got.
    pub(crate) fn doctor(&self) -> Vec<Feature> {
        let mut features = kernel_features();
        features.extend(self.net.attachments().iter().map(interface_feature));
        features
    }

    pub(crate) fn apply(&mut self, _: &[Command]) -> Result<(), Failure> {
        Err(unwired())
    }
    pub(crate) fn list(&self, _: Option<ServiceName>) -> Result<Reply, Failure> {
        Err(unwired())
    }
    pub(crate) fn connections(&self, _: u32) -> Result<Reply, Failure> {
        Err(unwired())
    }
    pub(crate) fn timeouts(&self) -> Timeouts {
        Timeouts {
            tcp: 0,
            tcp_fin: 0,
            udp: 0,
        }
    }
    pub(crate) fn sizes(&self) -> (u32, u32) {
        (0, 0)
    }

    /// What the programs counted.
    pub(crate) fn counters(&self) -> Result<Vec<Counted>, Failure> {
        let all = self.net.maps().counters.all().map_err(internal)?;
        Ok((0..)
            .zip(all)
            .map(|(index, (name, count))| Counted {
                name: name.to_owned(),
                count,
                drop: is_drop(index),
            })
            .collect())
    }
}

/// What this kernel offers, asked without any daemon.
pub(crate) fn doctor() -> Vec<Feature> {
    kernel_features()
}

/// Takes everything out of the kernel; says whether there was anything.
pub(crate) fn unload(config: &Config) -> Result<bool> {
    ssi_loader::unload(&config.bpf.root).context("cannot take the packet path out")
}

fn options(config: &Config) -> Options {
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
fn attach(net: &mut Net, config: &Config) -> Result<()> {
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
fn peers(net: &Net, config: &Config) -> Result<()> {
    let wanted: HashMap<Addr, u32> = nodes::nodes(config)
        .into_iter()
        .flat_map(|node| {
            let number = node.number;
            node.addresses
                .into_iter()
                .map(move |address| (address.into(), number))
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
fn why(at: &Attachment) -> String {
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

fn attached(at: &Attachment) -> Attached {
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

fn interface_feature(at: &Attachment) -> Feature {
    let matters = match at.working {
        Working::Native | Working::Tcx => "",
        Working::Generic => "packets are handled only after the stack has made buffers of them",
        Working::Clsact => "programs are replaced in two steps instead of one",
    };
    Feature {
        name: format!("attachment to {}", at.interface),
        support: if at.refused.is_empty() {
            Support::Full
        } else {
            Support::Fallback
        },
        mode: at.working.to_string(),
        missing: why(at).trim().to_owned(),
        matters: if at.refused.is_empty() { "" } else { matters }.to_owned(),
    }
}

fn kernel_features() -> Vec<Feature> {
    kernel::report()
        .into_iter()
        .map(|feature| Feature {
            name: feature.name.to_owned(),
            support: match feature.support {
                kernel::Support::Full => Support::Full,
                kernel::Support::Fallback => Support::Fallback,
                kernel::Support::Missing => Support::Missing,
            },
            mode: feature.mode.to_owned(),
            missing: feature.missing.to_owned(),
            matters: feature.matters.to_owned(),
        })
        .collect()
}

/// Whether a packet was lost at each count of the counter with this index.
const fn is_drop(index: u32) -> bool {
    matches!(
        index,
        counter::TRUNCATED
            | counter::MALFORMED
            | counter::HEADERS
            | counter::NO_SERVER
            | counter::NO_NEIGHBOUR
            | counter::NO_ROUTE
            | counter::NO_ROOM
            | counter::TTL
            | counter::SERVER_GONE
            | counter::TOO_BIG
            | counter::TOO_BIG_DROPPED
            | counter::HOLD_FULL
    )
}

fn internal(error: LoadError) -> Failure {
    Failure::new(FailureKind::Internal, error.to_string())
}

fn unwired() -> Failure {
    Failure::new(FailureKind::Internal, "the scheduler is not wired yet")
}
