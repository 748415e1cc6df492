//! What a configuration speaks of, and must be there.

use std::net::IpAddr;
use std::path::Path;

use crate::node::Node;

/// The machine and the cluster, as far as a configuration names them. The node on which it
/// is applied is asked; a program may be missing on others, which then can't run it.
pub trait World {
    /// Whether there is such a user, by name or number.
    fn has_user(&self, user: &str) -> bool;
    /// Whether there is such a group, by name or number.
    fn has_group(&self, group: &str) -> bool;
    /// The nodes that the cluster knows, UP or not.
    fn nodes(&self) -> Vec<Node>;
    /// Whether the cluster knows this node.
    fn has_node(&self, node: Node) -> bool {
        self.nodes().contains(&node)
    }
    /// The cluster's addresses for the outside.
    fn cvips(&self) -> Vec<IpAddr>;
    /// Whether this is one of them.
    fn has_cvip(&self, address: IpAddr) -> bool {
        self.cvips().contains(&address)
    }
    /// Why this file can't be executed.
    fn not_executable(&self, path: &Path) -> Option<String>;
    /// Whether there is such a directory.
    fn has_directory(&self, path: &Path) -> bool;
}
