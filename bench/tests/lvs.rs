//! The benchmark runs, whatever its figures: every row has some, and no request failed.
//! Needs root, BPF and the testbed.

mod common;

use common::{bench, measured};

#[test]
fn packets() {
    measured("lvs", "packet", 1, &["packet", "new"]);
}

#[test]
fn frames_on_a_wire() {
    measured("lvs", "wire", 1, &["wire"]);
}

#[test]
fn connections() {
    let sections = ["short", "long", "short-alone", "long-alone"];
    measured("lvs", "connections", 1, &sections);
}

#[test]
fn nonsense_is_refused() {
    for wrong in [&["lvs", "frob"][..], &["lvs", "--rounds", "0"], &["mosix"]] {
        let (done, _, complaints) = bench(wrong);
        assert!(!done && complaints.contains("error:"), "{complaints}");
    }
}
