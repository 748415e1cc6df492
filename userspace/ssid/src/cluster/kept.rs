//! What makes this machine a node: `cluster.json` in the state directory, which only root
//! may read.

use std::net::IpAddr;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};
use ssi_clms::door::{Authority, Papers};

use crate::state;

/// Of the file's format.
const VERSION: u32 = 1;

/// The file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Kept {
    version: u32,
    /// The cluster's name.
    pub(crate) cluster: String,
    /// The cluster's identity.
    pub(crate) identity: u64,
    /// How nodes protect their connections.
    pub(crate) security: String,
    /// This node's number.
    pub(crate) number: u16,
    /// This node's addresses on the interconnect.
    pub(crate) addresses: Vec<IpAddr>,
    /// Members to knock at.
    pub(crate) doors: Vec<IpAddr>,
    /// Whether this node is about to found the cluster.
    #[serde(default)]
    pub(crate) founding: bool,
    /// Whether it has left, and waits to be told to come back.
    #[serde(default)]
    pub(crate) left: bool,
    /// Whether it is drained because it leaves, or has left: until it is back.
    #[serde(default)]
    pub(crate) drained: bool,
    /// What lets it in the first time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) token: Option<String>,
    certificate: Hex,
    key: Hex,
    authority: Hex,
    authority_key: Hex,
}

/// Bytes that a file shows as hex digits.
#[derive(Clone, PartialEq, Eq)]
struct Hex(Vec<u8>);

impl std::fmt::Debug for Hex {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("…")
    }
}

impl Serialize for Hex {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&HEXLOWER.encode(&self.0))
    }
}

impl<'de> Deserialize<'de> for Hex {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        let bytes = HEXLOWER.decode(text.as_bytes());
        bytes.map(Self).map_err(serde::de::Error::custom)
    }
}

/// What a node is called in its cluster.
pub(crate) struct Place {
    pub(crate) cluster: String,
    pub(crate) security: String,
    pub(crate) number: u16,
    pub(crate) addresses: Vec<IpAddr>,
    pub(crate) doors: Vec<IpAddr>,
}

impl Kept {
    /// Of a node with these papers.
    pub(crate) fn new(place: Place, papers: Papers, authority: &Authority) -> Self {
        Self {
            version: VERSION,
            cluster: place.cluster,
            identity: authority.identity(),
            security: place.security,
            number: place.number,
            addresses: place.addresses,
            doors: place.doors,
            founding: false,
            left: false,
            drained: false,
            token: None,
            certificate: Hex(papers.certificate),
            key: Hex(papers.key),
            authority: Hex(authority.certificate().to_vec()),
            authority_key: Hex(authority.key().to_vec()),
        }
    }

    /// What the state directory has; none if this machine is no node.
    pub(crate) fn load(directory: &Path) -> Result<Option<Self>> {
        let path = path(directory);
        let Some(bytes) = state::read(&path)? else {
            return Ok(None);
        };
        let damaged = || {
            format!(
                "{} is damaged: without it this machine is no node; move it away and let the machine join anew",
                path.display()
            )
        };
        let kept: Self = serde_json::from_slice(&bytes).with_context(damaged)?;
        if kept.version != VERSION {
            bail!(
                "{} is of format version {}, and this ssid knows {VERSION}",
                path.display(),
                kept.version
            );
        }
        kept.issuer().with_context(damaged)?;
        Ok(Some(kept))
    }

    /// Writes it down.
    pub(crate) fn save(&self, directory: &Path) -> Result<()> {
        state::write(&path(directory), &serde_json::to_vec_pretty(self)?)
    }

    /// This machine is no node any more.
    pub(crate) fn remove(directory: &Path) -> Result<()> {
        state::remove(&path(directory))
    }

    /// The node's papers.
    pub(crate) fn papers(&self) -> Papers {
        Papers {
            certificate: self.certificate.0.clone(),
            authority: self.authority.0.clone(),
            key: self.key.0.clone(),
        }
    }

    /// The cluster's authority.
    pub(crate) fn issuer(&self) -> Result<Authority> {
        let (certificate, key) = (self.authority.0.clone(), self.authority_key.0.clone());
        Ok(Authority::new(self.identity, certificate, key)?)
    }
}

fn path(directory: &Path) -> PathBuf {
    directory.join("cluster.json")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept() -> Kept {
        let authority = Authority::generate(7).unwrap();
        let place = Place {
            cluster: "blue".to_owned(),
            security: "tls".to_owned(),
            number: 3,
            addresses: vec!["10.0.0.3".parse().unwrap()],
            doors: Vec::new(),
        };
        Kept::new(place, authority.papers().unwrap(), &authority)
    }

    #[test]
    fn what_was_kept_is_found_again_and_says_no_secret() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(Kept::load(dir.path()).unwrap(), None);
        let kept = kept();
        kept.save(dir.path()).unwrap();
        let again = Kept::load(dir.path()).unwrap().unwrap();
        assert_eq!(again, kept);
        assert_eq!(again.papers().fingerprint(), kept.papers().fingerprint());
        let key = HEXLOWER.encode(&kept.key.0);
        assert!(!format!("{kept:?}").contains(&key[..16]));
        Kept::remove(dir.path()).unwrap();
        assert_eq!(Kept::load(dir.path()).unwrap(), None);
    }

    #[test]
    fn a_cut_file_is_named_and_stays() {
        let dir = tempfile::tempdir().unwrap();
        kept().save(dir.path()).unwrap();
        let path = path(dir.path());
        let bytes = std::fs::read(&path).unwrap();
        std::fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
        let error = Kept::load(dir.path()).unwrap_err().to_string();
        assert!(error.contains("cluster.json is damaged"), "{error}");
        assert!(path.exists());
    }
}
