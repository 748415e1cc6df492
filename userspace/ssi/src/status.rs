use std::fmt::Write;

use clap::Args;
use ssi_api::control::{NodeStatus, Reply, Request, Status};

use crate::args::Common;
use crate::fail::Fail;
use crate::help;
use crate::output::{self, Format};
use crate::units::duration;

/// This node: version, cluster, interfaces, virtual addresses, what was dropped and why
#[derive(Debug, Args)]
#[command(after_long_help = help::lesson("\
  ssi status
  ssi status -o wide             also what was counted and is no loss
  ssi status -o json | jq .status.member.state"))]
pub(crate) struct Options {}

pub(crate) fn run(_: &Options, common: &Common) -> Result<(), Fail> {
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
    let _ = writeln!(text, "cluster    {}", output::plain(&membership(s)));
    if let Some(what) = s.member.as_ref().and_then(|m| m.waits_for.as_ref()) {
        let _ = writeln!(text, "waits for  {}", output::plain(what));
    }
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
    match node.number {
        0 => node.name.clone(),
        number => format!("{number} {}", node.name),
    }
}

/// The cluster's name, and how this node stands in it.
fn membership(s: &Status) -> String {
    let name = &s.cluster;
    let Some(member) = &s.member else {
        return match name.as_str() {
            "" => "none (found one with: ssi init; or join one with: ssi join)".to_owned(),
            name => name.to_owned(),
        };
    };
    let master = member.master.map_or_else(
        || "no master".to_owned(),
        |master| format!("master node {master}"),
    );
    let fenced = if member.fenced {
        ", fenced: it holds no lease (see: ssi cluster)"
    } else {
        ""
    };
    format!(
        "{name}, this node is {}, epoch {}, {master}{fenced}",
        member.state, member.epoch
    )
}

#[cfg(test)]
mod tests {
    use ssi_api::cluster::NodeState;
    use ssi_api::control::{Attached, Counted, CvipStatus, MemberStatus};

    use super::*;

    fn whole() -> Status {
        let node = |number: u32| NodeStatus {
            number,
            name: format!("node{number}"),
            addresses: vec![
                format!("10.77.0.{number}").parse().unwrap(),
                format!("fd77::{number}").parse().unwrap(),
            ],
        };
        Status {
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
        }
    }

    #[test]
    fn a_whole_status() {
        assert_eq!(
            text(&whole(), true),
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
        assert!(!text(&whole(), false).contains("second chance"));
    }

    #[test]
    fn in_no_cluster() {
        let mut status = whole();
        status.node.number = 0;
        status.cluster.clear();
        let text = text(&status, false);
        assert!(
            text.starts_with(
                "node       node1\ncluster    none (found one with: ssi init; or join one with: \
                 ssi join)\n"
            ),
            "{text}"
        );
    }

    #[test]
    fn a_member_of_a_cluster() {
        let mut status = whole();
        let mut member = MemberStatus {
            state: NodeState::Up,
            incarnation: Some(1),
            epoch: 12,
            master: Some(2),
            fenced: false,
            waits_for: None,
        };
        let line = |status: &Status, n: usize| {
            let text = text(status, false);
            text.lines().nth(n).unwrap_or_default().to_owned()
        };
        status.member = Some(member.clone());
        assert_eq!(
            line(&status, 1),
            "cluster    testbed, this node is UP, epoch 12, master node 2"
        );
        assert!(line(&status, 2).starts_with("ssid "));
        member.master = None;
        member.fenced = true;
        member.waits_for = Some("node 2 or node 3".to_owned());
        status.member = Some(member);
        assert_eq!(
            line(&status, 1),
            "cluster    testbed, this node is UP, epoch 12, no master, fenced: it holds no lease \
             (see: ssi cluster)"
        );
        assert_eq!(line(&status, 2), "waits for  node 2 or node 3");
    }
}
