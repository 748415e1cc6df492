//! The names that the original's users know, by which `ssi` can be called.

/// Those of commands that ask and say.
pub const COMMANDS: [&str; 11] = [
    "cluster",
    "clustername",
    "clusternode_num",
    "clusternode_avail",
    "clusternode_info",
    "clusternode_getstate",
    "cluster_maxnodes",
    "loads",
    "where_pid",
    "node_pid",
    "spawndaemon",
];

/// Those of commands that run others.
pub const REMOTE: [&str; 5] = ["onnode", "onall", "onclass", "fast", "fastnode"];

/// All of them.
pub fn all() -> impl Iterator<Item = &'static str> {
    COMMANDS.into_iter().chain(REMOTE)
}

/// The program that a name is a link to.
#[must_use]
pub fn program(name: &str) -> &'static str {
    if REMOTE.contains(&name) {
        "ssi-remote"
    } else {
        "ssi"
    }
}
