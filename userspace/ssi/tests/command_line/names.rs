use std::fs;
use std::os::unix::fs::symlink;
use std::process::Command;

use crate::{SSI, run, said};

#[test]
fn the_name_it_is_called_by_is_the_command() {
    let dir = tempfile::tempdir().unwrap();
    for name in [
        "cluster",
        "clustername",
        "clusternode_num",
        "clusternode_avail",
        "clusternode_info",
        "clusternode_getstate",
        "cluster_maxnodes",
        "loads",
        "ipvsadm",
    ] {
        let link = dir.path().join(name);
        symlink(SSI, &link).unwrap();
        let (code, stdout, stderr) = said(&run(&link, &[]));
        assert_eq!((code, stdout.as_str()), (3, ""), "{name}: {stderr}");
        let expected = format!("{name}: cannot reach ssid at /nonexistent/ssid.sock: ");
        assert!(stderr.starts_with(&expected), "{stderr}");
        let (code, stdout, _) = said(&run(&link, &["--help"]));
        assert_eq!(code, 0, "{name}");
        assert!(stdout.contains("Exit status"), "{name}: {stdout}");
    }
}

/// Those that run commands have the exit statuses of env(1), so as not to be mixed up with the
/// command's.
#[test]
fn what_runs_commands_says_that_it_failed_itself() {
    let dir = tempfile::tempdir().unwrap();
    for (name, args) in [
        ("onnode", &["2", "true"][..]),
        ("onall", &["true"]),
        ("onclass", &["db", "true"]),
        ("fast", &["true"]),
        ("fastnode", &[]),
    ] {
        let link = dir.path().join(name);
        symlink(SSI, &link).unwrap();
        let (code, stdout, stderr) = said(&run(&link, args));
        assert_eq!((code, stdout.as_str()), (125, ""), "{name}: {stderr}");
        let expected = format!("{name}: cannot reach ssid at /nonexistent/run.sock: ");
        assert!(stderr.starts_with(&expected), "{stderr}");
        let (code, stdout, _) = said(&run(&link, &["--help"]));
        assert_eq!(code, 0, "{name}");
        assert!(stdout.contains("Exit status"), "{name}: {stdout}");
        let (code, _, stderr) = said(&run(&link, &["--nonsense"]));
        assert_eq!(code, 125, "{stderr}");
        assert!(stderr.contains("no option --nonsense"), "{stderr}");
    }
    let (code, _, stderr) = said(&run(
        SSI.as_ref(),
        &["-o", "json", "run", "--node", "2", "ls"],
    ));
    assert_eq!(code, 125, "{stderr}");
    assert!(stderr.starts_with("ssi run: cannot reach ssid"), "{stderr}");
}

#[test]
fn options_follow_the_name() {
    let dir = tempfile::tempdir().unwrap();
    let link = dir.path().join("cluster");
    symlink(SSI, &link).unwrap();
    let (code, _, stderr) = said(&run(&link, &["-v", "-V", "2"]));
    assert_eq!(code, 2, "{stderr}");
    assert!(stderr.contains("cannot be used with"), "{stderr}");
    let (code, _, stderr) = said(&run(&link, &["-V", "2", "--socket", "/dev/null"]));
    assert_eq!(code, 3, "{stderr}");
    assert!(stderr.contains("/dev/null"), "{stderr}");
}

/// The witness is `ssid`, the one beside this very `ssi`, and gets what `ssi` was given.
#[test]
fn the_witness_is_the_ssid_next_door() {
    let dir = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let (ssi, ssid) = (dir.path().join("ssi"), dir.path().join("ssid"));
    fs::hard_link(SSI, &ssi).unwrap();
    symlink("/bin/echo", &ssid).unwrap();
    let args = ["witness", "blue1", "t", "--listen", "[::1]:7118"];
    let (code, stdout, stderr) = said(&run(&ssi, &args));
    assert_eq!(code, 0, "{stderr}");
    assert_eq!(stdout, "--witness blue1 t --listen [::1]:7118\n");
    fs::remove_file(&ssid).unwrap();
    let without = Command::new(&ssi)
        .args(args)
        .env("PATH", dir.path())
        .output()
        .unwrap();
    let (code, _, stderr) = said(&without);
    assert_eq!(code, 1, "{stderr}");
    assert!(
        stderr.starts_with("ssi witness: cannot run ssid: "),
        "{stderr}"
    );
}
