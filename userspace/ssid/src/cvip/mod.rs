//! The cluster's virtual addresses on this node.
//!
//! Every node has each CVIP on `lo`, so that it takes packets for it which a director
//! sent; the director has it on its external interface too, answers for it there (ARP,
//! neighbour discovery) and tells the neighbours so.
//!
//! What was changed is written down before it is done (`cvips.json` in the state
//! directory), so that a later daemon, or `ssid --unload`, can undo it whatever happened
//! in between. Addresses and settings that were there before stay.

mod addresses;
mod announce;
mod frame;
mod ledger;
mod sysctl;

use std::collections::BTreeSet;
use std::path::Path;

use addresses::Addresses;
pub(crate) use announce::announce;
use anyhow::{Context, Result};
use ledger::{Ledger, Place};

use crate::config::{Config, Cvip};

/// Brings addresses and settings to what `config` says.
pub(crate) async fn apply(config: &Config) -> Result<()> {
    let mut ledger = Ledger::load(&config.state.directory)?;
    if !config.cvip.is_empty() {
        sysctl::prepare(&config.network.interfaces, &mut ledger)?;
    }
    settle(&wanted(config), &mut ledger).await?;
    if config.cvip.is_empty() {
        sysctl::restore(&mut ledger)?;
    }
    Ok(())
}

/// Undoes everything that [`apply`] ever did.
pub(crate) async fn remove(state: &Path) -> Result<()> {
    let mut ledger = Ledger::load(state)?;
    settle(&BTreeSet::new(), &mut ledger).await?;
    sysctl::restore(&mut ledger)
}

/// Which addresses belong where.
fn wanted(config: &Config) -> BTreeSet<Place> {
    let mut wanted = BTreeSet::new();
    for cvip in &config.cvip {
        wanted.insert(Place::new("lo", cvip.address));
        if directs(config, cvip) {
            wanted.insert(Place::new(&cvip.interface, cvip.address));
        }
    }
    wanted
}

/// Whether this node is the director of `cvip`.
pub(crate) fn directs(config: &Config, cvip: &Cvip) -> bool {
    cvip.director == config.node.number
}

async fn settle(wanted: &BTreeSet<Place>, ledger: &mut Ledger) -> Result<()> {
    if wanted.is_empty() && ledger.places().is_empty() {
        return Ok(());
    }
    let addresses = Addresses::open()?;
    let present = addresses.present().await?;
    for place in ledger.places().difference(wanted) {
        if present.contains(place) {
            addresses
                .remove(place)
                .await
                .with_context(|| format!("cannot remove {place}"))?;
            tracing::info!("removed {place}");
        }
    }
    ledger.keep_places(wanted)?;
    for place in wanted.difference(&present) {
        ledger.add_place(place)?;
        addresses
            .add(place)
            .await
            .with_context(|| format!("cannot add {place}"))?;
        tracing::info!("added {place}");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_director_has_it_on_its_interface_too() {
        let mut config: Config = toml::from_str(
            "[node]\nnumber = 1\n[[cvip]]\naddress = \"10.88.0.100\"\ninterface = \"eth0\"\n\
             director = 1\n[[cvip]]\naddress = \"fd88::100\"\ninterface = \"eth0\"\ndirector = 2\n",
        )
        .unwrap();
        let shown = |config: &Config| -> Vec<String> {
            wanted(config).iter().map(ToString::to_string).collect()
        };
        assert_eq!(
            shown(&config),
            [
                "10.88.0.100 on eth0",
                "10.88.0.100 on lo",
                "fd88::100 on lo"
            ]
        );
        config.node.number = 2;
        assert_eq!(
            shown(&config),
            ["fd88::100 on eth0", "10.88.0.100 on lo", "fd88::100 on lo"]
        );
    }
}
