use std::path::Path;
use std::process::{Command, Stdio};

use crate::{SSI, run, said};

fn ssi(args: &[&str]) -> (i32, String, String) {
    said(&run(Path::new(SSI), args))
}

#[test]
fn without_ssid_it_is_3() {
    for command in [
        &["status"][..],
        &["cluster"],
        &["cluster", "-w"],
        &["cluster", "-V", "blue2"],
        &["init", "blue"],
        &["token"],
        &["join", "blue1", "t"],
        &["leave", "--yes"],
        &["rejoin"],
        &["forget", "3", "--yes"],
        &["evict", "3", "--yes"],
        &["fenced", "3", "--yes"],
        &["witness", "--drop", "--yes"],
        &["ics"],
        &["ping", "2"],
        &["clustername"],
        &["clusternode_avail", "2"],
    ] {
        let (code, stdout, stderr) = ssi(command);
        assert_eq!((code, stdout.as_str()), (3, ""), "{command:?}: {stderr}");
        assert_eq!(stderr.lines().count(), 1, "{command:?}: {stderr}");
        assert!(stderr.contains("systemctl start ssid"), "{stderr}");
    }
}

#[test]
fn nonsense_is_2() {
    for command in [
        &["init"][..],
        &["init", "blue", "--number", "0"],
        &["join", "blue1"],
        &["join", "blue1", "two words"],
        &["token", "--valid", "soon"],
        &["fenced"],
        &["ping", "2", "-c", "0"],
        &["witness", "blue1"],
        &["nonsense"],
        &["--generate", "man", "--of", "nonsense"],
    ] {
        let (code, stdout, stderr) = ssi(command);
        assert_eq!((code, stdout.as_str()), (2, ""), "{command:?}: {stderr}");
    }
}

#[test]
fn a_token_on_standard_input() {
    let mut child = Command::new(SSI)
        .args(["join", "blue1", "-"])
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdin.take());
    let (code, _, stderr) = said(&child.wait_with_output().unwrap());
    assert_eq!(code, 2);
    assert!(
        stderr.starts_with("ssi join: there is no token"),
        "{stderr}"
    );
}
