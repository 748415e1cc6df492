//! What was changed on this machine and must be undone one day.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use crate::state;

/// An address on an interface.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct Place {
    pub(super) interface: String,
    pub(super) address: IpAddr,
}

impl Place {
    pub(super) fn new(interface: &str, address: IpAddr) -> Self {
        Self {
            interface: interface.to_owned(),
            address,
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} on {}", self.address, self.interface)
    }
}

/// The file, and what stands in it.
#[derive(Debug)]
pub(super) struct Ledger {
    path: PathBuf,
    content: Content,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Content {
    /// Addresses that we added, or were about to.
    #[serde(default)]
    places: BTreeSet<Place>,
    /// Settings that we changed: path below `/proc/sys` and the value before.
    #[serde(default)]
    settings: BTreeMap<String, String>,
}

impl Ledger {
    pub(super) fn load(directory: &Path) -> Result<Self> {
        let path = directory.join("cvips.json");
        let content = match state::read(&path)? {
            Some(bytes) => serde_json::from_slice(&bytes)
                .with_context(|| format!("{}: damaged; remove it", path.display()))?,
            None => Content::default(),
        };
        Ok(Self { path, content })
    }

    pub(super) fn places(&self) -> &BTreeSet<Place> {
        &self.content.places
    }

    pub(super) fn add_place(&mut self, place: &Place) -> Result<()> {
        if self.content.places.insert(place.clone()) {
            self.save()?;
        }
        Ok(())
    }

    /// Forgets the places that are not `wanted`.
    pub(super) fn keep_places(&mut self, wanted: &BTreeSet<Place>) -> Result<()> {
        let before = self.content.places.len();
        self.content.places.retain(|place| wanted.contains(place));
        if self.content.places.len() != before {
            self.save()?;
        }
        Ok(())
    }

    /// Notes the value before the first change of a setting.
    pub(super) fn note_setting(&mut self, setting: &str, before: &str) -> Result<()> {
        if !self.content.settings.contains_key(setting) {
            let (setting, before) = (setting.to_owned(), before.to_owned());
            self.content.settings.insert(setting, before);
            self.save()?;
        }
        Ok(())
    }

    pub(super) fn settings(&self) -> &BTreeMap<String, String> {
        &self.content.settings
    }

    pub(super) fn forget_settings(&mut self) -> Result<()> {
        if !self.content.settings.is_empty() {
            self.content.settings.clear();
            self.save()?;
        }
        Ok(())
    }

    fn save(&self) -> Result<()> {
        if self.content == Content::default() {
            return state::remove(&self.path);
        }
        state::write(&self.path, &serde_json::to_vec_pretty(&self.content)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_noted_is_found_again_and_nothing_is_left_at_the_end() {
        let dir = tempfile::tempdir().unwrap();
        let place = Place::new("lo", "10.0.0.1".parse().unwrap());
        let mut ledger = Ledger::load(dir.path()).unwrap();
        ledger.add_place(&place).unwrap();
        ledger.note_setting("net/x", "0").unwrap();
        ledger.note_setting("net/x", "1").unwrap();
        let mut again = Ledger::load(dir.path()).unwrap();
        assert_eq!(again.places().iter().collect::<Vec<_>>(), [&place]);
        assert_eq!(again.settings()["net/x"], "0");
        again.keep_places(&BTreeSet::new()).unwrap();
        again.forget_settings().unwrap();
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
    }
}
