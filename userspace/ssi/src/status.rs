//! `ssi status`.

use std::fmt::Write;

use ssi_api::control::{NodeStatus, Reply, Request, Status};

use crate::args::Common;
use crate::fail::Fail;
use crate::output::{self, Format};

pub(crate) fn run(common: &Common) -> Result<(), Fail> {
    let mut client = common.connect()?;
    let status = match client.request(Request::Status)? {
        Reply::Status(status) => *status,
        other => return Err(client.unexpected(&other).into()),
    };
    let text = match common.output {
        Format::Json => output::json(&[("status", &status)]),
        Format::Table => text(&status, false),
        Format::Wide => text(&status, true),
    };
    Ok(output::print(&text)?)
}

fn text(s: &Status, wide: bool) -> String {
    let mut text = String::new();
    let path = if s.adopted {
        "found running and taken over"
    } else {
        "loaded at start"
    };
    let _ = writeln!(text, "node       {}", node_name(&s.node));
    let _ = writeln!(text, "cluster    {}", s.cluster);
    let _ = writeln!(
        text,
        "ssid       {}, up {}, pid {}, {:.1} MiB",
        s.version,
        duration(s.uptime),
        s.pid,
        s.memory as f64 / f64::from(1 << 20),
    );
    let _ = writeln!(text, "data path  {path}, ABI {}, Linux {}", s.abi, s.kernel);
    let _ = writeln!(
        text,
        "lvs        {} virtual services, {} real servers",
        s.services, s.servers
    );
    section(
        &mut text,
        ["NODE", "ADDRESSES"],
        s.nodes
            .iter()
            .map(|node| {
                let addresses: Vec<_> = node.addresses.iter().map(ToString::to_string).collect();
                [node_name(node), addresses.join(" ")]
            })
            .collect(),
    );
    section(
        &mut text,
        ["INTERFACE", "MODE", "WHY"],
        s.interfaces
            .iter()
            .map(|at| [at.interface.clone(), at.mode.clone(), at.reason.clone()])
            .collect(),
    );
    section(
        &mut text,
        ["CVIP", "INTERFACE", "DIRECTOR"],
        s.cvips
            .iter()
            .map(|cvip| {
                let here = if cvip.here { " (this node)" } else { "" };
                [
                    cvip.address.to_string(),
                    cvip.interface.clone(),
                    format!("{}{here}", cvip.director),
                ]
            })
            .collect(),
    );
    section(&mut text, ["DROPPED", "PACKETS"], counters(s, |drop| drop));
    if wide {
        section(&mut text, ["COUNTED", "PACKETS"], counters(s, |drop| !drop));
    }
    text
}

fn counters(s: &Status, which: impl Fn(bool) -> bool) -> Vec<[String; 2]> {
    s.counters
        .iter()
        .filter(|counted| which(counted.drop))
        .map(|counted| [counted.name.clone(), counted.count.to_string()])
        .collect()
}

/// A table, after an empty line; nothing if there are no rows.
fn section<const N: usize>(text: &mut String, header: [&str; N], rows: Vec<[String; N]>) {
    if !rows.is_empty() {
        text.push('\n');
        text.push_str(&output::table(header, rows));
    }
}

fn node_name(node: &NodeStatus) -> String {
    format!("{} {}", node.number, node.name)
}

fn duration(seconds: u64) -> String {
    let (d, h, m, s) = (
        seconds / 86_400,
        seconds / 3_600 % 24,
        seconds / 60 % 60,
        seconds % 60,
    );
    match (d, h, m) {
        (0, 0, 0) => format!("{s} s"),
        (0, 0, _) => format!("{m} min {s} s"),
        (0, _, _) => format!("{h} h {m} min"),
        _ => format!("{d} d {h} h"),
    }
}

#[cfg(test)]
mod tests {
    use ssi_api::control::{Attached, Counted, CvipStatus};

    use super::*;

    #[test]
    fn a_whole_status() {
        let node = |number: u32| NodeStatus {
            number,
            name: format!("node{number}"),
            addresses: vec![
                format!("10.77.0.{number}").parse().unwrap(),
                format!("fd77::{number}").parse().unwrap(),
            ],
        };
        let status = Status {
            node: node(1),
            version: "0.1.0".to_owned(),
            abi: 1,
            kernel: "6.18.44".to_owned(),
            uptime: 3 * 3600 + 60,
            pid: 77,
            memory: 9 << 20,
            adopted: true,
            cluster: "testbed".to_owned(),
            member: None,
            nodes: vec![node(1), node(2)],
            interfaces: vec![Attached {
                interface: "eth0".to_owned(),
                mode: "tc".to_owned(),
                reason: "veth".to_owned(),
            }],
            cvips: vec![CvipStatus {
                address: "10.88.0.100".parse().unwrap(),
                interface: "eth0".to_owned(),
                director: 1,
                here: true,
            }],
            services: 2,
            servers: 6,
            counters: vec![
                Counted {
                    name: "no server".to_owned(),
                    count: 3,
                    drop: true,
                },
                Counted {
                    name: "second chance".to_owned(),
                    count: 9,
                    drop: false,
                },
            ],
        };
        assert_eq!(
            text(&status, true),
            "\
node       1 node1
cluster    testbed
ssid       0.1.0, up 3 h 1 min, pid 77, 9.0 MiB
data path  found running and taken over, ABI 1, Linux 6.18.44
lvs        2 virtual services, 6 real servers

 NODE     ADDRESSES
 1 node1  10.77.0.1 fd77::1
 2 node2  10.77.0.2 fd77::2

 INTERFACE  MODE  WHY
 eth0       tc    veth

 CVIP         INTERFACE  DIRECTOR
 10.88.0.100  eth0       1 (this node)

 DROPPED    PACKETS
 no server  3

 COUNTED        PACKETS
 second chance  9
"
        );
        assert!(!text(&status, false).contains("second chance"));
    }
}
