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

use std::collections::{BTreeSet, HashSet};
use std::net::IpAddr;
use std::path::Path;

use addresses::Addresses;
pub(crate) use announce::announce;
use anyhow::{Context, Result};
use ledger::{Ledger, Place};

use crate::config::Config;

/// Brings addresses and settings to what `config` says, with this node as the director of
/// `directed`.
pub(crate) async fn apply(config: &Config, directed: &HashSet<IpAddr>) -> Result<()> {
    let mut ledger = Ledger::load(&config.state.directory)?;
    if !config.cvip.is_empty() {
        sysctl::prepare(&config.network.interfaces, &mut ledger)?;
    }
    settle(&wanted(config, directed), &mut ledger).await?;
    if config.cvip.is_empty() {
        sysctl::restore(&mut ledger)?;
    }
    Ok(())
}

/// Before it is known what this node directs: it takes packets for every address, and answers
/// for those that it answered for already.
pub(crate) async fn prepare(config: &Config) -> Result<()> {
    let ledger = Ledger::load(&config.state.directory)?;
    let mut directed = HashSet::new();
    if !config.cvip.is_empty() && !ledger.places().is_empty() {
        let present = Addresses::open()?.present().await?;
        let cvips = config.cvip.iter().filter(|cvip| {
            let place = Place::new(&cvip.interface, cvip.address);
            ledger.places().contains(&place) && present.contains(&place)
        });
        directed.extend(cvips.map(|cvip| cvip.address));
    }
    apply(config, &directed).await
}

/// Undoes everything that [`apply`] ever did.
pub(crate) async fn remove(state: &Path) -> Result<()> {
    let mut ledger = Ledger::load(state)?;
    settle(&BTreeSet::new(), &mut ledger).await?;
    sysctl::restore(&mut ledger)
}

/// Which addresses belong where.
fn wanted(config: &Config, directed: &HashSet<IpAddr>) -> BTreeSet<Place> {
    let mut wanted = BTreeSet::new();
    for cvip in &config.cvip {
        wanted.insert(Place::new("lo", cvip.address));
        if directed.contains(&cvip.address) {
            wanted.insert(Place::new(&cvip.interface, cvip.address));
        }
    }
    wanted
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
        let config: Config = toml::from_str(
            "[[cvip]]\naddress = \"10.88.0.100\"\ninterface = \"eth0\"\n\
             [[cvip]]\naddress = \"fd88::100\"\ninterface = \"eth0\"\n",
        )
        .unwrap();
        let shown = |directed: &str| -> Vec<String> {
            let directed = HashSet::from([directed.parse().unwrap()]);
            let wanted = wanted(&config, &directed);
            wanted.iter().map(ToString::to_string).collect()
        };
        assert_eq!(
            shown("10.88.0.100"),
            [
                "10.88.0.100 on eth0",
                "10.88.0.100 on lo",
                "fd88::100 on lo"
            ]
        );
        assert_eq!(
            shown("fd88::100"),
            ["fd88::100 on eth0", "10.88.0.100 on lo", "fd88::100 on lo"]
        );
    }
}
