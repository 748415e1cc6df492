//! The benchmark of membership runs, whatever its figures, and leaves nothing. Needs root,
//! BPF, the testbed, and the peers that `make toolchain` installs.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use std::{env, fs, thread};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use ssi_testbed::leftovers;

fn bench() -> Command {
    let program = env::var_os("SSI_BIN_DIR").map_or_else(
        || PathBuf::from(env!("CARGO_BIN_EXE_ssi-bench")),
        |folder| Path::new(&folder).join("ssi-bench"),
    );
    let mut bench = Command::new(program);
    bench.arg("clms").stdin(Stdio::null());
    bench
}

/// The names of a part's rows at three nodes, peers included.
const PARTS: [(&str, &[&str]); 6] = [
    (
        "crash",
        &[
            "ssi, 3 nodes",
            "corosync, 3 nodes",
            "corosync, token 300 ms, 3 nodes",
            "serf, lan, 3 nodes",
        ],
    ),
    ("leave", &["ssi, its master, 3 nodes", "corosync, 3 nodes"]),
    (
        "form",
        &[
            "ssi, new nodes join, 3 nodes",
            "ssi, all start again, 3 nodes",
            "corosync, all start, 3 nodes",
        ],
    ),
    (
        "write",
        &["ssi", "etcd", "etcd, heartbeat 50, election 300 ms"],
    ),
    (
        "idle",
        &[
            "ssi, sent",
            "ssi, received",
            "corosync, sent",
            "serf, lan, sent",
        ],
    ),
    ("memory", &["ssi", "corosync", "serf, lan", "etcd, 3 nodes"]),
];

#[test]
fn every_part_has_figures_and_nothing_is_left() {
    let out = env::temp_dir().join(format!("ssi-bench-clms-{}", std::process::id()));
    let mut bench = bench();
    bench.args(["--quick", "--nodes", "3", "-o", "json", "--out"]);
    let done = bench.arg(&out).output().expect("ssi-bench is there");
    let complaints = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{complaints}");
    assert!(!leftovers::found());
    let document: Value = serde_json::from_slice(&done.stdout).expect("JSON");
    for (part, wanted) in PARTS {
        let mut sections = document["sections"].as_array().expect("sections").iter();
        let section = sections
            .find(|section| section["name"] == part)
            .expect(part);
        let rows = section["rows"].as_array().expect("rows");
        for name in wanted {
            let row = rows.iter().find(|row| row["name"] == *name);
            let row = row.unwrap_or_else(|| panic!("{part} has no row {name}: {rows:?}"));
            let samples = row["samples"].as_array().expect("samples");
            assert!(!samples.is_empty(), "{row}");
            for sample in samples {
                assert!(sample.as_f64().expect("a number") > 0.0, "{row}");
            }
        }
        let plot = fs::read_to_string(out.join(format!("{part}.svg"))).expect("a plot");
        assert!(plot.contains("<rect"), "{part}");
    }
    assert!(out.join("clms.json").exists());
    fs::remove_dir_all(out).expect("it was there");
}

#[test]
fn whoever_interrupts_it_finds_nothing_left() {
    let mut bench = bench();
    let mut bench = bench
        .args(["idle", "--nodes", "3", "--alone"])
        .spawn()
        .expect("it starts");
    let until = Instant::now() + Duration::from_secs(30);
    while !leftovers::found() {
        assert!(Instant::now() < until, "it boots no machines");
        thread::sleep(Duration::from_millis(20));
    }
    let pid = Pid::from_raw(i32::try_from(bench.id()).expect("a process id"));
    kill(pid, Signal::SIGINT).expect("it runs");
    let status = bench.wait().expect("it ends");
    assert_eq!(status.code(), Some(130));
    assert!(!leftovers::found());
}

#[test]
fn nonsense_is_refused() {
    for wrong in [
        &["frob"][..],
        &["--nodes", "2"],
        &["--nodes", "16"],
        &["--rounds", "0"],
    ] {
        let done = bench().args(wrong).output().expect("ssi-bench is there");
        assert_eq!(done.status.code(), Some(2), "{wrong:?}");
    }
}
