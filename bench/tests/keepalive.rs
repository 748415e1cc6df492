//! The benchmark of supervision runs, whatever its figures. Needs root and cgroup2; not the
//! peers.

mod common;

use common::measured;

#[test]
fn start() {
    measured("keepalive", "start", 1, &["start"]);
}

#[test]
fn memory() {
    measured("keepalive", "memory", 1, &["memory"]);
}

#[test]
fn adopt() {
    measured("keepalive", "adopt", 1, &["adopt"]);
}
