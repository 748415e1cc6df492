use serde::{Deserialize, Serialize};

/// What became of a change of niceness.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Niced {
    /// It was changed, or is as it was wanted anyhow.
    Done {
        /// What it was.
        old: i32,
        /// What it is.
        new: i32,
    },
    /// There is no such process.
    NoProcess,
    /// It is another user's.
    NotPermitted,
    /// Whoever asks may not lower it so far.
    NotLower,
    /// There is no such node, or it is not UP.
    NoNode(String),
    /// The node did not say; it may have been changed or not.
    Unknown(String),
    /// It could not be changed, for this reason.
    Failed(String),
}
