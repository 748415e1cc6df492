use serde::{Deserialize, Serialize};

/// Requests about processes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ProcessRequest {
    /// The processes of this node, as they are now.
    List {
        /// Their arguments too: a file of /proc is read for each.
        #[serde(default)]
        args: bool,
    },
}
