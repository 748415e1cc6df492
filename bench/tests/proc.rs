//! The benchmark of process tracking runs, whatever its figures. Needs root, BPF and BTF.

mod common;

use common::measured;

#[test]
fn scan() {
    measured("proc", "scan", 1, &["scan", "scan-cpu"]);
}

#[test]
fn exit() {
    measured("proc", "exit", 1, &["exit-p50", "exit-p99"]);
}

#[test]
fn switch() {
    measured("proc", "switch", 1, &["switch"]);
}
