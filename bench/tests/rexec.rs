//! The benchmark of commands on other nodes runs, whatever its figures. Needs root, BPF and the
//! machine's one testbed.

mod common;

use common::measured;

#[test]
fn command() {
    measured("rexec", "command", 1, &["command"]);
}

#[test]
fn many() {
    measured("rexec", "many", 1, &["many"]);
}
