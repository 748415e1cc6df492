//! Running the benchmark.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{env, fs};

use serde_json::Value;

fn program(name: &str) -> PathBuf {
    env::var_os("SSI_BIN_DIR").map_or_else(
        || Path::new(env!("CARGO_BIN_EXE_ssi-bench")).with_file_name(name),
        |folder| PathBuf::from(folder).join(name),
    )
}

/// Whether it went well, what it said, and what it complained of.
pub(crate) fn bench(arguments: &[&str]) -> (bool, String, String) {
    let output = Command::new(program("ssi-bench"))
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .expect("ssi-bench is there");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (
        output.status.success(),
        text(&output.stdout),
        text(&output.stderr),
    )
}

/// A part runs, whatever its figures: it has these sections, every row has a sample for each
/// of `rounds`, no request failed, and it writes what it says.
pub(crate) fn measured(what: &str, part: &str, rounds: usize, sections: &[&str]) -> Value {
    let out = env::temp_dir().join(format!("ssi-bench-test-{part}-{}", std::process::id()));
    let place = out.to_str().expect("a name");
    let rounds_given = rounds.to_string();
    let arguments = [
        what,
        part,
        "--quick",
        "--rounds",
        &rounds_given,
        "-o",
        "json",
        "--out",
        place,
    ];
    let (done, said, complaints) = bench(&arguments);
    assert!(done, "{complaints}");
    let document: Value = serde_json::from_str(&said).expect("JSON");
    assert_eq!(document["version"], 1);
    let all = document["sections"].as_array().expect("sections");
    let names: Vec<_> = all.iter().filter_map(|s| s["name"].as_str()).collect();
    assert_eq!(names, sections);
    for section in all {
        for row in section["rows"].as_array().expect("rows") {
            let samples = row["samples"].as_array().expect("samples");
            assert_eq!(samples.len(), rounds, "{row}");
            // What is nearly as fast as the floor can be told to be faster, on a busy machine.
            let taken = &row["raw_best"];
            let taken = if taken.is_null() { &samples[0] } else { taken };
            assert!(taken.as_f64().expect("a number") > 0.0, "{row}");
            assert_eq!(row["errors"], 0, "{row}");
        }
    }
    for section in sections {
        let plot = fs::read_to_string(out.join(format!("{section}.svg"))).expect("a plot");
        assert!(plot.contains("<svg") && plot.contains("<rect"), "{section}");
    }
    let saved = fs::read_to_string(out.join(format!("{what}.json"))).expect("the document");
    assert_eq!(saved, said);
    fs::remove_dir_all(out).expect("it was there");
    document
}
