//! `ssi service restart`: one node after the other.

use std::collections::BTreeSet;
use std::time::Duration;

use clap::Args;
use ssi_api::process::Missing;
use ssi_api::service::ServiceRequest;

use super::verbs::told;
use super::{change, fetch, silent};
use crate::args::Common;
use crate::cluster;
use crate::fail::Fail;
use crate::help;
use crate::node::Node;
use crate::output::{self, Format};
use crate::patience::patiently;

/// How long a node may take to have things ready again: `ssid` knows what their configuration
/// gives them, and gives up before this.
const LONGEST: Duration = Duration::from_secs(24 * 3600);

/// End and start processes, on the nodes where they are
///
/// One node after the other: what is balanced gets no new connections first, and the next node
/// has its turn when everything is ready again on the last. If it is not, the others stay as
/// they are. Interrupted, it is finished on the node whose turn it is.
#[derive(Debug, Args)]
#[command(after_long_help = help::lesson_with("failed, or a node did not do its part", "\
  ssi service restart web
  ssi service restart web --node 2
  ssi service restart web --at-once   on all nodes now, and don't wait until it is ready"))]
pub(super) struct Options {
    /// Processes or groups
    #[arg(required = true, value_name = "NAME")]
    names: Vec<String>,
    /// On all nodes at the same time; returns before anything is ready
    #[arg(long, conflicts_with = "node")]
    at_once: bool,
    /// Only on the node with this number or name
    #[arg(long, value_name = "NODE")]
    node: Option<Node>,
}

pub(super) fn run(options: &Options, common: &Common) -> Result<(), Fail> {
    let mut client = common.connect_for(LONGEST)?;
    let names = &options.names;
    let mut turns: BTreeSet<u16> = match &options.node {
        Some(node) => BTreeSet::from([node.find(&cluster::show(&mut client)?)?.number]),
        None => {
            let view = fetch(&mut client, names)?;
            let nodes = view.instances.iter().filter_map(|instance| instance.node);
            nodes.collect()
        }
    };
    if options.at_once || turns.is_empty() {
        let request = ServiceRequest::Restart {
            names: names.clone(),
            node: None,
        };
        return told(&mut client, request, "restarted", common);
    }
    let json = common.output == Format::Json;
    let mut instances = Vec::new();
    let mut missing: Vec<Missing> = Vec::new();
    while let Some(number) = turns.pop_first() {
        let request = ServiceRequest::Restart {
            names: names.clone(),
            node: Some(number),
        };
        let what = format!(
            "restarting {} on node {number}; nodes after it: {}",
            names.join(" "),
            turns.len()
        );
        let outcome = patiently(&what, common, || change(&mut client, request))?;
        if outcome.missing.is_empty() && !json {
            let line = |(name, _): &(String, _)| format!("restarted: {name} (node {number})\n");
            output::print(&outcome.instances.iter().map(line).collect::<String>())?;
        }
        instances.extend(outcome.instances);
        if !outcome.missing.is_empty() {
            missing = outcome.missing;
            break;
        }
    }
    if json {
        output::print(&output::json(&[
            ("instances", &instances),
            ("missing", &missing),
            ("left", &turns),
        ]))?;
    }
    if missing.is_empty() {
        return Ok(());
    }
    silent(&missing);
    if !turns.is_empty() {
        let left: Vec<String> = turns.iter().map(u16::to_string).collect();
        eprintln!("not restarted on node {}", left.join(", "));
    }
    Err(Fail::No)
}
