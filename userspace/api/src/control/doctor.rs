use serde::{Deserialize, Serialize};

/// A feature of this kernel that we use, or do without (`ssi doctor`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Feature {
    /// What it is: `XDP on eth0`, `BTF`, …
    pub name: String,
    /// Whether it works.
    pub support: Support,
    /// The mode in use: `native`, `tcx`, …
    pub mode: String,
    /// What is missing, with the kernel option or version that has it; empty if nothing.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub missing: String,
    /// Why it matters: what is slower or impossible without.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub matters: String,
}

/// Whether a feature works.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Support {
    /// As well as it can.
    Full,
    /// By a fallback.
    Fallback,
    /// Not at all.
    Missing,
}
