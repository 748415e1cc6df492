//! `ssi ping`: how long a node takes to answer.

use std::fmt::Write;
use std::time::Duration;

use clap::Args;
use ssi_api::control::{Reply, Request};
use ssi_api::ics::{IcsRequest, LanePing, Ping, Quantiles};

use crate::args::Common;
use crate::cluster;
use crate::fail::Fail;
use crate::help;
use crate::node::{self, Node};
use crate::output::{self, Format};
use crate::patience::patiently;
use crate::units::micros;

/// Measure how long another node takes to answer: its kernel, and each lane
///
/// A probe is sent back by the other node's kernel, whatever its ssid does; a call over a
/// lane is answered by its ssid. The difference is what tells a node that is gone from one
/// whose ssid is stalled.
#[derive(Debug, Args)]
#[command(after_long_help = help::lesson_with(
    "failed, or the node's kernel or its ssid answered nothing", "\
  ssi ping 2
  ssi ping blue2 -c 100 -s 4096
  ssi ping 2 -o json | jq .ping.reflected.p50"))]
pub(crate) struct Options {
    /// Number or name of the node
    node: Node,
    /// How many probes, and calls over each lane
    #[arg(short, long, value_name = "N", default_value_t = 5,
          value_parser = clap::value_parser!(u32).range(1..=1_000))]
    count: u32,
    /// Bytes that each call carries
    #[arg(short, long, value_name = "BYTES", default_value_t = 64,
          value_parser = clap::value_parser!(u32).range(0..=65_536))]
    size: u32,
}

pub(crate) fn run(options: &Options, common: &Common) -> Result<(), Fail> {
    // A probe that is lost takes a while to be given up, each.
    let mut client = common.connect_for(Duration::from_secs(options.count.into()))?;
    let view = cluster::show(&mut client)?;
    let node = options.node.find(&view)?;
    let name = node::name(node);
    let request = Request::Ics(IcsRequest::Ping {
        node: node.number,
        count: options.count,
        bytes: options.size,
    });
    let what = format!("ssi ping: still waiting for node {name}");
    let ping = match patiently(&what, common, || client.request(request))? {
        Reply::Ping(ping) => *ping,
        other => return Err(client.unexpected(&other).into()),
    };
    let text = match common.output {
        Format::Json => output::json(&[("ping", &ping)]),
        _ => text(&ping, &name, options),
    };
    output::print(&text)?;
    verdict(&ping, &name)
}

/// A table, and a summary as ping has it.
fn text(ping: &Ping, name: &str, options: &Options) -> String {
    let Options { count, size, .. } = options;
    let mut text = format!(
        "PING node {}: {count} probes, and {count} calls of {size} bytes over each lane\n",
        output::plain(name)
    );
    let mut rows = vec![row("kernel", &ping.reflected, *count, "")];
    rows.extend(ping.lanes.iter().map(|lane| {
        let failure = lane.failure.as_deref().unwrap_or_default();
        row(&lane.lane, &lane.round_trips, *count, failure)
    }));
    text.push_str(&output::table(
        [
            "ANSWERED BY",
            "ANSWERS",
            "MIN",
            "P50",
            "P90",
            "P99",
            "MAX",
            "FAILURE",
        ],
        rows,
    ));
    let _ = writeln!(
        text,
        "\n--- node {} ping statistics ---",
        output::plain(name)
    );
    let back = ping.reflected.count;
    let sent = back + u64::from(ping.lost);
    let _ = writeln!(
        text,
        "{sent} probes sent, {back} came back, {} % lost{}",
        u64::from(ping.lost) * 100 / sent.max(1),
        summary(&ping.reflected)
    );
    let answered: u64 = answered(&ping.lanes);
    let calls = u64::from(*count) * ping.lanes.len() as u64;
    let _ = writeln!(
        text,
        "{calls} calls over {} lanes, {answered} answered{}",
        ping.lanes.len(),
        slowest(&ping.lanes)
    );
    text
}

fn row(what: &str, trips: &Quantiles, count: u32, failure: &str) -> [String; 8] {
    let [min, p50, p90, p99, max] = super::peers::quantiles(
        Some(*trips),
        [|q| q.min, |q| q.p50, |q| q.p90, |q| q.p99, |q| q.max],
    );
    [
        what.to_owned(),
        format!("{}/{count}", trips.count),
        min,
        p50,
        p90,
        p99,
        max,
        failure.to_owned(),
    ]
}

fn summary(trips: &Quantiles) -> String {
    if trips.count == 0 {
        return String::new();
    }
    format!(
        ", min/median/max {}/{}/{}",
        micros(trips.min),
        micros(trips.p50),
        micros(trips.max)
    )
}

fn slowest(lanes: &[LanePing]) -> String {
    lanes
        .iter()
        .filter(|lane| lane.round_trips.count > 0)
        .max_by(|a, b| a.round_trips.p50.total_cmp(&b.round_trips.p50))
        .map_or_else(String::new, |lane| {
            format!(
                ", the slowest lane is {} (median {})",
                output::plain(&lane.lane),
                micros(lane.round_trips.p50)
            )
        })
}

fn answered(lanes: &[LanePing]) -> u64 {
    lanes.iter().map(|lane| lane.round_trips.count).sum()
}

/// Whether the node can be said to answer.
fn verdict(ping: &Ping, name: &str) -> Result<(), Fail> {
    let calls = answered(&ping.lanes) > 0 || ping.lanes.is_empty();
    let why = match (ping.reflected.count > 0, calls) {
        (true, true) => return Ok(()),
        (true, false) => "its kernel answers, its ssid does not; look there: systemctl status ssid",
        (false, true) => "its ssid answers, but no probe came back from its kernel",
        (false, false) => "no answer",
    };
    Err(Fail::Failed(format!("node {name}: {why}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trips(count: u64) -> Quantiles {
        Quantiles {
            count,
            min: 20.0,
            p50: 30.0,
            p90: 40.0,
            p99: 50.0,
            max: 60.0,
        }
    }

    fn ping() -> Ping {
        let lane = |lane: &str, count, failure: Option<&str>| LanePing {
            lane: lane.to_owned(),
            round_trips: trips(count),
            failure: failure.map(str::to_owned),
        };
        let mut lanes = vec![
            lane("priority-0", 5, None),
            lane("bulk", 3, Some("timed out")),
        ];
        lanes[1].round_trips.p50 = 1_500.0;
        Ping {
            node: 2,
            reflected: trips(4),
            lost: 1,
            lanes,
        }
    }

    fn options() -> Options {
        Options {
            node: "2".parse().unwrap(),
            count: 5,
            size: 64,
        }
    }

    #[test]
    fn like_ping() {
        assert_eq!(
            text(&ping(), "2 blue2", &options()),
            "\
PING node 2 blue2: 5 probes, and 5 calls of 64 bytes over each lane
 ANSWERED BY  ANSWERS  MIN      P50      P90      P99      MAX      FAILURE
 kernel       4/5      20.0 µs  30.0 µs  40.0 µs  50.0 µs  60.0 µs
 priority-0   5/5      20.0 µs  30.0 µs  40.0 µs  50.0 µs  60.0 µs
 bulk         3/5      20.0 µs  1.50 ms  40.0 µs  50.0 µs  60.0 µs  timed out

--- node 2 blue2 ping statistics ---
5 probes sent, 4 came back, 20 % lost, min/median/max 20.0 µs/30.0 µs/60.0 µs
10 calls over 2 lanes, 8 answered, the slowest lane is bulk (median 1.50 ms)
"
        );
    }

    #[test]
    fn a_stalled_ssid_is_no_dead_node() {
        let mut ping = ping();
        let failed = |ping: &Ping| match verdict(ping, "2 blue2") {
            Err(Fail::Failed(why)) => why,
            other => panic!("{other:?}"),
        };
        assert!(verdict(&ping, "2 blue2").is_ok());
        for lane in &mut ping.lanes {
            lane.round_trips = Quantiles::default();
        }
        assert_eq!(
            failed(&ping),
            "node 2 blue2: its kernel answers, its ssid does not; look there: systemctl status ssid"
        );
        ping.reflected = Quantiles::default();
        ping.lost = 5;
        assert_eq!(failed(&ping), "node 2 blue2: no answer");
        let text = text(&ping, "2 blue2", &options());
        assert!(
            text.contains("5 probes sent, 0 came back, 100 % lost\n"),
            "{text}"
        );
        assert!(
            text.contains("10 calls over 2 lanes, 0 answered\n"),
            "{text}"
        );
    }
}
