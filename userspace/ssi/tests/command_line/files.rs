use std::fs;
use std::path::Path;

use crate::{SSI, run, said};

fn clustertab(text: &str, more: &[&str]) -> (i32, String, String) {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("clustertab");
    fs::write(&file, text).unwrap();
    let mut args = vec!["clustertab", file.to_str().unwrap()];
    args.extend(more);
    said(&run(Path::new(SSI), &args))
}

#[test]
fn a_clustertab_needs_no_ssid() {
    let text = "1\t10.77.0.1\t-\tP\t1\t/dev/sda1\n2\t10.77.0.2\t-\tE\t0\n";
    let (code, stdout, stderr) = clustertab(text, &[]);
    assert_eq!((code, stderr.as_str()), (0, ""));
    assert!(
        stdout.contains("ssi join 10.77.0.1 TOKEN --number 2"),
        "{stdout}"
    );
    let (_, stdout, _) = clustertab(text, &["-o", "json"]);
    let json: serde_json::Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(json["clustertab"][1]["potential_master"], false);
}

#[test]
fn mistakes_are_named_by_line() {
    let (code, stdout, stderr) = clustertab("#\n0\t10.77.0.1\t-\tP\t1\n1\tx\t-\tP\t1\n", &[]);
    assert_eq!((code, stdout.as_str()), (1, ""));
    let lines: Vec<_> = stderr.lines().collect();
    assert!(lines[0].contains("clustertab:2: Node 0 "), "{stderr}");
    assert!(lines[1].contains("clustertab:3: IP-address x "), "{stderr}");
    assert!(
        lines[2].ends_with("2 lines have to be corrected"),
        "{stderr}"
    );
    let missing = run(Path::new(SSI), &["clustertab", "/nonexistent"]);
    let (code, _, stderr) = said(&missing);
    assert_eq!(code, 1);
    assert!(stderr.contains("cannot read /nonexistent: "), "{stderr}");
}
