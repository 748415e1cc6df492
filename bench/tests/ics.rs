//! Measuring internode communication works, whatever the figures. Needs root.

mod common;

use common::{bench, measured};

fn rows(document: &serde_json::Value) -> Vec<&str> {
    let rows = document["sections"][0]["rows"].as_array().expect("rows");
    rows.iter().filter_map(|row| row["name"].as_str()).collect()
}

#[test]
fn calls() {
    let document = measured("ics", "rpc", 2, &["rpc-p50", "rpc-p99"]);
    let names = rows(&document);
    for peer in [
        "raw TCP",
        "ssi, plain",
        "ssi, TLS",
        "tonic",
        "tarpc",
        "quinn",
    ] {
        assert!(names.iter().any(|name| name.starts_with(peer)), "{names:?}");
    }
    for section in document["sections"].as_array().expect("sections") {
        for row in section["rows"].as_array().expect("rows") {
            let judged =
                row["name"] != "ssi, mac" && !row["name"].as_str().unwrap().contains("raw");
            let is_ours_at_p99 =
                section["name"] == "rpc-p99" && row["name"].as_str().unwrap().starts_with("ssi");
            assert_eq!(row["met"].is_boolean(), judged && !is_ours_at_p99, "{row}");
        }
    }
}

#[test]
fn streams() {
    let document = measured("ics", "bulk", 1, &["bulk"]);
    assert_eq!(rows(&document).len(), 5);
}

#[test]
fn urgent_calls_beside_a_stream() {
    let sections = ["priority-raw", "priority", "priority-tls"];
    let document = measured("ics", "priority", 1, &sections);
    assert_eq!(rows(&document), ["idle", "beside a stream"]);
}

#[test]
fn nodes_that_go_down() {
    let document = measured("ics", "nodedown", 2, &["nodedown"]);
    assert_eq!(rows(&document), ["view installed", "last task"]);
}

#[test]
fn nonsense_is_refused() {
    for wrong in [&["ics", "frob"][..], &["ics", "--rounds", "0"]] {
        let (done, _, complaints) = bench(wrong);
        assert!(!done && complaints.contains("error:"), "{complaints}");
    }
}
