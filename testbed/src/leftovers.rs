//! What a testbed leaves when it is killed: found by what it is, not by what a state file
//! says, and removed.

use std::fs;
use std::path::Path;

use nix::mount::{MntFlags, umount2};

use crate::plan::{MOST, Machine};
use crate::{cgroup, network, node, state, tool};

/// The tmux server of the consoles.
pub const TMUX: &str = "ssi-testbed";

/// Whether there is anything of a testbed.
#[must_use]
pub fn found() -> bool {
    !network::namespaces().is_empty()
        || !node::inits().is_empty()
        || state::load().ok().flatten().is_some()
}

/// Removes everything: processes, namespaces, cgroups, mounts, the state.
pub fn clean() {
    // A state that can't be read tells nothing.
    let known = state::load().ok().flatten();
    let _ = tool::run("tmux", &["-L", TMUX, "kill-server"]);
    let namespaces = network::namespaces();
    if !namespaces.is_empty() || !node::inits().is_empty() {
        let machines: Vec<_> = (1..=MOST)
            .map(Machine::Node)
            .chain([Machine::Client])
            .collect();
        node::kill_all(&machines);
    }
    for namespace in namespaces {
        network::kill_inhabitants(&namespace);
        let _ = tool::run("ip", &["netns", "del", &namespace]);
    }
    cgroup::remove_all();
    // Once for each time a killed testbed mounted it.
    for mounted in [state::disks(), state::shared()] {
        while umount2(&mounted, MntFlags::MNT_DETACH).is_ok() {}
    }
    let kept = fs::read_dir(state::DIRECTORY)
        .into_iter()
        .flatten()
        .flatten();
    for entry in kept.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir())) {
        let _ = fs::remove_dir_all(entry.path());
    }
    for file in ["state.json", "state.new"] {
        let _ = fs::remove_file(Path::new(state::DIRECTORY).join(file));
    }
    if known.is_some_and(|state| state.made_etc_ssi) {
        // Somebody may have put something there meanwhile.
        let _ = fs::remove_dir("/etc/ssi");
    }
    // Ours by its name; empty, it is of no use to an `ssid` of this machine either, which has a
    // directory in it.
    let _ = fs::remove_dir(node::TREE);
}
