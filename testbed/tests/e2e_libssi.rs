//! The cluster from C programs, linked with `libssi.so` and with `libssi.a`.

mod common;

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Output};

use common::host::{Host, checked};
use common::{Cluster, binaries, disturb, main as run};
use ssi_testbed::node::PROGRAMS;

fn main() -> ExitCode {
    run(
        3,
        &[
            ("the view, as every node has it", membership),
            ("a process elsewhere is a child here", children),
            ("a program becomes one of another node", rexec),
            ("signals, and whom there is none for", signals),
            ("transitions are waited for", transition),
            ("without a daemon, and without a cluster", alone),
        ],
    )
}

/// How the program is linked.
#[derive(Clone, Copy)]
enum Linked {
    Shared,
    Static,
}

/// The C program.
struct Program {
    path: PathBuf,
    libraries: PathBuf,
}

/// Compiles it, as its users would, in a folder that goes with the test.
fn program(linked: Linked, folder: &Path) -> Program {
    let crate_folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../userspace/libssi/c");
    let library = |name: &str| binaries::path(name);
    symlink("../libssi.so", folder.join("libssi.so.0")).expect("a link");
    let path = folder.join("cluster");
    let mut cc = Command::new("cc");
    cc.args(["-std=gnu11", "-Wall", "-Wextra", "-Werror", "-O1", "-o"]);
    cc.arg(&path).arg("-I").arg(crate_folder.join("include"));
    cc.arg(crate_folder.join("tests/cluster.c"));
    match linked {
        Linked::Shared => cc.arg(library("libssi.so")),
        Linked::Static => cc.arg(library("libssi.a")).args(["-lgcc_s", "-lm"]),
    };
    let output = cc.output().expect("a C compiler");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{cc:?}: {said}");
    let name = folder.file_name().expect("it has a name");
    let libraries = Path::new(PROGRAMS).join(name);
    Program {
        path: libraries.join("cluster"),
        libraries,
    }
}

impl Program {
    fn words(&self, args: &[&str]) -> Vec<String> {
        let mut words = vec![
            "env".to_owned(),
            format!("LD_LIBRARY_PATH={}", self.libraries.display()),
            self.path.display().to_string(),
        ];
        words.extend(args.iter().map(|arg| (*arg).to_owned()));
        words
    }

    fn output(&self, host: Host, args: &[&str]) -> Output {
        let words = self.words(args);
        host.output(&words.iter().map(String::as_str).collect::<Vec<_>>())
    }

    #[track_caller]
    fn run(&self, host: Host, args: &[&str]) -> String {
        checked(host, args, &self.output(host, args))
    }

    #[track_caller]
    fn refused(&self, host: Host, args: &[&str]) -> String {
        let output = self.output(host, args);
        assert_eq!(output.status.code(), Some(1), "{args:?}: {output:?}");
        String::from_utf8_lossy(&output.stderr).into_owned()
    }
}

/// Does something with the program, linked in either way.
fn with(what: impl Fn(&Program)) {
    for linked in [Linked::Shared, Linked::Static] {
        let folder = folder();
        what(&program(linked, folder.path()));
    }
}

/// A folder beside the programs under test: hosts have these, and a /tmp of their own.
fn folder() -> tempfile::TempDir {
    let beside = binaries::path("ssi");
    let beside = beside.parent().expect("a folder");
    let folder = tempfile::tempdir_in(beside).expect("a folder");
    let open = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    fs::set_permissions(folder.path(), open).expect("it is ours");
    folder
}

fn membership(_: &Cluster) {
    with(|program| {
        let said = program.run(Host::Node(2), &["membership"]);
        let mut lines = said.lines();
        let first = lines.next().expect("a view");
        assert!(first.starts_with("testbed node 2 of 3, largest "), "{said}");
        for (number, line) in (1..).zip(lines.by_ref()) {
            let expected =
                format!("{number} node{number} 10.77.0.{number} state 2 available 1 cpus some");
            assert_eq!(line, expected, "{said}");
        }
        assert_eq!(said.lines().count(), 4, "{said}");
    });
}

fn children(_: &Cluster) {
    with(|program| {
        let said = program.run(Host::Node(1), &["spawn", "2", "0", "sh", "-c", "exit 7"]);
        assert!(
            said.starts_with("2/") && said.ends_with(" exited 7\n"),
            "{said}"
        );
        let said = program.run(Host::Node(1), &["spawn", "3", "15", "sleep", "60"]);
        assert!(
            said.starts_with("on 3\n3/") && said.ends_with(" killed by 15\n"),
            "{said}"
        );
        let said = program.run(Host::Node(1), &["several"]);
        let mut ends: Vec<_> = said.lines().collect();
        assert_eq!(ends.pop(), Some("far 3"), "the slow one comes last: {said}");
        ends.sort_unstable();
        assert_eq!(ends, ["here 1", "near 2"]);
    });
}

fn rexec(_: &Cluster) {
    with(|program| {
        let said = program.run(Host::Node(1), &["rexec", "3", "hostname"]);
        assert_eq!(said, "node3\n");
        let output = program.output(Host::Node(1), &["rexec", "2", "sh", "-c", "exit 9"]);
        assert_eq!(output.status.code(), Some(9));
        let why = program.refused(Host::Node(1), &["spawn", "2", "0", "no-such-program"]);
        assert!(
            why.contains("errno 2") && why.contains("no-such-program"),
            "{why}"
        );
        let why = program.refused(Host::Node(1), &["spawn", "2", "0", "/etc"]);
        assert!(why.contains("errno 13"), "{why}");
        let why = program.refused(Host::Node(1), &["spawn", "77", "0", "true"]);
        assert!(why.contains("there is no node 77"), "{why}");
    });
}

fn signals(_: &Cluster) {
    with(|program| {
        let number: u32 = program
            .run(Host::Node(3), &["number"])
            .trim()
            .parse()
            .expect("one");
        assert_eq!(number >> 22, 3);
        let sleeper = Host::Node(2).sh("sleep 60 >/dev/null 2>&1 & echo $!");
        let pid: u32 = sleeper.trim().parse().expect("a pid");
        let cpid = (2 << 22 | pid).to_string();
        program.run(Host::Node(1), &["kill", &cpid, "0"]);
        program.run(Host::Node(1), &["kill", &cpid, "9"]);
        let why = until_refused(program, &cpid);
        assert!(why.contains("errno 3"), "{why}");
        let far = (9 << 22 | 1).to_string();
        let why = program.refused(Host::Node(1), &["kill", &far, "0"]);
        assert!(why.contains("errno 113"), "{why}");
    });
}

/// A killed process is there for another moment.
fn until_refused(program: &Program, cpid: &str) -> String {
    for _ in 0..100 {
        let output = program.output(Host::Node(1), &["kill", cpid, "0"]);
        if !output.status.success() {
            return String::from_utf8_lossy(&output.stderr).into_owned();
        }
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    panic!("{cpid} is still there");
}

fn transition(_: &Cluster) {
    let folder = folder();
    let program = program(Linked::Shared, folder.path());
    let words = program.words(&["transition"]);
    let words: Vec<_> = words.iter().map(String::as_str).collect();
    let mut waits = Host::Node(1).spawn(&words);
    let mut out = std::io::BufReader::new(waits.stdout.take().expect("piped"));
    let mut line = String::new();
    std::io::BufRead::read_line(&mut out, &mut line).expect("it says so");
    assert_eq!(line, "waiting\n");
    disturb::crash(&[3]);
    let mut rest = String::new();
    std::io::Read::read_to_string(&mut out, &mut rest).expect("its end");
    let status = waits.wait_with_output().expect("it ends");
    let why = String::from_utf8_lossy(&status.stderr);
    assert_eq!(rest, "node 3 is in state 7\n", "{why}");
    disturb::boot(&[3]);
}

fn alone(_: &Cluster) {
    let folder = folder();
    let program = program(Linked::Shared, folder.path());
    let why = program.refused(Host::Client, &["membership"]);
    assert!(why.contains("errno 111") && why.contains("ssid"), "{why}");
}
