//! What a configuration speaks of, on this machine.

use std::fs;
use std::net::IpAddr;
use std::path::Path;

use rustix::fs::{Access, access};

use super::user;
use crate::config::World;
use crate::node::Node;

/// This machine, in a cluster of these nodes.
#[derive(Clone, Debug)]
pub struct System {
    /// The nodes that the cluster knows.
    pub nodes: Vec<Node>,
    /// The cluster's addresses for the outside.
    pub cvips: Vec<IpAddr>,
}

impl World for System {
    fn has_user(&self, user: &str) -> bool {
        user::is_user(user)
    }

    fn has_group(&self, group: &str) -> bool {
        user::gid(group).is_ok_and(|gid| gid.is_some())
    }

    fn nodes(&self) -> Vec<Node> {
        self.nodes.clone()
    }

    fn cvips(&self) -> Vec<IpAddr> {
        self.cvips.clone()
    }

    fn not_executable(&self, path: &Path) -> Option<String> {
        let shown = path.display();
        match fs::metadata(path) {
            Err(error) => Some(format!("{shown}: {error}")),
            Ok(file) if !file.is_file() => Some(format!("{shown} is no file")),
            Ok(_) => access(path, Access::EXEC_OK)
                .err()
                .map(|_| format!("{shown} can't be executed: it has no x permission")),
        }
    }

    fn has_directory(&self, path: &Path) -> bool {
        path.is_dir()
    }
}
