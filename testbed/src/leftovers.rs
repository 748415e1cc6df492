//! What a testbed leaves when it is killed: found by what it is, not by what a state file
//! says, and removed.

use std::fs;
use std::path::Path;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::plan::{MOST, Machine};
use crate::{cgroup, network, node, state, tool};

fn machines() -> impl Iterator<Item = Machine> {
    (1..=MOST).map(Machine::Node).chain([Machine::Client])
}

/// Whether there is anything of a testbed.
#[must_use]
pub fn found() -> bool {
    !network::namespaces().is_empty()
        || !inits().is_empty()
        || state::load().ok().flatten().is_some()
}

/// Removes everything: processes, namespaces, cgroups, mounts, the state.
pub fn clean() {
    // A state that can't be read tells nothing.
    let known = state::load().ok().flatten();
    for machine in machines() {
        cgroup::kill(machine);
    }
    for init in inits() {
        let _ = kill(Pid::from_raw(init), Signal::SIGKILL);
    }
    for _ in 0..200 {
        if inits().is_empty() {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    let _ = tool::run("tmux", &["-L", node::TMUX, "kill-server"]);
    for namespace in network::namespaces() {
        let _ = tool::run("ip", &["netns", "del", &namespace]);
    }
    cgroup::remove_all();
    for machine in machines() {
        let directory = state::directory(machine);
        let _ = nix::mount::umount2(&directory.join("layers"), nix::mount::MntFlags::MNT_DETACH);
        let _ = fs::remove_dir_all(directory);
    }
    let _ = fs::remove_file(Path::new(state::DIRECTORY).join("state.json"));
    if known.is_some_and(|state| state.made_etc_ssi) {
        // Somebody may have put something there meanwhile.
        let _ = fs::remove_dir("/etc/ssi");
    }
}

/// The inits of all machines, by what they run.
fn inits() -> Vec<i32> {
    let all = fs::read_dir("/proc").into_iter().flatten().flatten();
    all.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter(|pid| node::is_init(*pid))
        .collect()
}
