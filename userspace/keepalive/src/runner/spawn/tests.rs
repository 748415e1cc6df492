//! Needs root and cgroup2.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use super::*;
use crate::config::{CgroupLimits, Process};
use crate::core::Id;
use crate::runner::cgroup::Cgroups;

/// A folder in the cgroup2 file system.
fn place(name: &str) -> PathBuf {
    let mounts = fs::read_to_string("/proc/self/mounts").unwrap();
    let mut mounts = mounts.lines().map(|line| line.split(' '));
    let found = mounts.find_map(|mut words| {
        let place = words.nth(1)?;
        (words.next()? == "cgroup2").then(|| PathBuf::from(place))
    });
    let found = found.expect("no cgroup2 is mounted");
    found.join(format!("{name}-{}", std::process::id()))
}

#[test]
fn a_cgroup_that_was_killed_takes_processes_all_the_same() {
    let place = place("ssi-keepalive-killed");
    let cgroup = Cgroups::at(&place).unwrap().of(&Id::new("a", 0));
    let seat = cgroup.make(&CgroupLimits::default()).unwrap();
    cgroup.kill().unwrap();
    let mut process = Process::new("a", "/bin/sleep");
    process.args = vec!["1000".to_owned()];
    let log = File::options().write(true).open("/dev/null").unwrap();
    let plan = Plan::new(&process, BTreeMap::new(), log).unwrap();
    for _ in 0..20 {
        let spawned = spawn(&plan, &seat).unwrap();
        assert!(cgroup.pids().contains(&spawned.pid));
        cgroup.kill().unwrap();
        ended(&spawned.pidfd);
    }
    cgroup.remove();
    fs::remove_dir(place).unwrap();
}
