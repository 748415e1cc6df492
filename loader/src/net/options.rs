use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use ssi_abi::limits;
use ssi_abi::table::BLOCK;

use crate::map::Maps;

/// How the packet path is to be opened.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The bpffs to pin in, usually `/sys/fs/bpf`; none: nothing is pinned and everything
    /// goes with the process (tests, benchmarks).
    pub pins: Option<PathBuf>,
    /// Sizes of the maps that can be chosen.
    pub sizes: Sizes,
}

/// Sizes of the maps that can be chosen. They hold from the maps' creation to
/// `ssid --unload`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sizes {
    /// Connections over IPv4, about 100 bytes each, split evenly over the CPUs.
    pub conns4: u32,
    /// Connections over IPv6, about 150 bytes each, split evenly over the CPUs.
    pub conns6: u32,
    /// Entries of the scheduling tables, 4 bytes each; rounded up to a multiple of 16.
    pub table_entries: u32,
}

impl Default for Sizes {
    fn default() -> Self {
        Self {
            conns4: limits::CONNS4 as u32,
            conns6: limits::CONNS6 as u32,
            table_entries: limits::TABLE_BLOCKS as u32 * BLOCK,
        }
    }
}

impl Sizes {
    pub(super) fn entries(&self) -> [(&'static str, u32); 3] {
        [
            ("CONNS4", self.conns4.max(1)),
            ("CONNS6", self.conns6.max(1)),
            ("TABLE", self.table_entries.div_ceil(BLOCK).max(1)),
        ]
    }

    /// Where the maps have another size than asked for: name, actual, asked.
    pub(super) fn differences(&self, maps: &Maps) -> Vec<(&'static str, u32, u32)> {
        let actual = [
            maps.conns4.capacity(),
            maps.conns6.capacity(),
            maps.table.len() / BLOCK,
        ];
        // The kernel rounds per-CPU LRU tables up to a multiple of the CPUs.
        let cpus = crate::map::possible_cpus() as u32;
        self.entries()
            .into_iter()
            .zip(actual)
            .filter(|((_, asked), actual)| actual.abs_diff(*asked) >= cpus)
            .map(|((name, asked), actual)| (name, actual, asked))
            .collect()
    }
}

/// Where on an interface the packet path is to be entered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// Native XDP on devices that can; tc elsewhere. On a veth, native XDP would make the
    /// node's own TCP 3.5–4 times slower.
    #[default]
    Auto,
    /// XDP in the driver.
    Native,
    /// XDP in the stack, before anything else: for drivers that can't.
    Generic,
    /// tc ingress: tcx (kernel 6.6), else a clsact qdisc.
    Tc,
}

/// A word that names no [`Mode`].
#[derive(Clone, Debug, thiserror::Error)]
#[error("unknown attach mode \"{0}\"; known: auto, native, generic, tc")]
pub struct UnknownMode(String);

impl FromStr for Mode {
    type Err = UnknownMode;

    fn from_str(word: &str) -> Result<Self, UnknownMode> {
        match word {
            "auto" => Ok(Self::Auto),
            "native" => Ok(Self::Native),
            "generic" => Ok(Self::Generic),
            "tc" => Ok(Self::Tc),
            other => Err(UnknownMode(other.to_owned())),
        }
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Auto => "auto",
            Self::Native => "native",
            Self::Generic => "generic",
            Self::Tc => "tc",
        })
    }
}
