//! `ssi drain`: a node that is to run nothing.

use std::collections::BTreeSet;
use std::thread;
use std::time::{Duration, Instant};

use clap::Args;
use ssi_api::control::Client;
use ssi_api::service::{InstanceView, ServiceRequest};

use crate::args::Common;
use crate::cluster;
use crate::fail::Fail;
use crate::help;
use crate::node::{self, Node};
use crate::output::{self, Format};
use crate::patience::patiently;
use crate::service;

/// How often it is looked what is left.
const LOOK: Duration = Duration::from_millis(200);

/// Have a node run nothing of what is kept alive
///
/// One thing after the other goes to another node, the next one when the last is ready there, or
/// ends if no other may run it. Nothing comes to the node until `ssi drain --undo`, whatever
/// happens to it meanwhile. It says where each thing goes, and returns when nothing is left.
#[derive(Debug, Args)]
#[command(after_long_help = help::lesson("\
  ssi drain 3
  ssi drain --no-wait blue3
  ssi drain --undo 3"))]
pub(crate) struct Options {
    /// Number or name of the node
    node: Node,
    /// Let it run things again
    #[arg(long)]
    undo: bool,
    /// Don't wait until nothing is left there
    #[arg(long, conflicts_with = "undo")]
    no_wait: bool,
}

pub(crate) fn run(options: &Options, common: &Common) -> Result<(), Fail> {
    let mut client = common.connect()?;
    let view = cluster::show(&mut client)?;
    let found = options.node.find(&view)?;
    let (number, name) = (found.number, node::name(found));
    let undo = options.undo;
    let request = ServiceRequest::Drain {
        node: number,
        undo,
        leaving: false,
    };
    let outcome = service::change(&mut client, request)?;
    if !undo && !options.no_wait {
        let what =
            format!("ssi drain: node {name} still runs something; `ssi service list` shows it");
        patiently(&what, common, || until_empty(&mut client, number, None))?;
    }
    let text = match common.output {
        Format::Json => output::json(&[("node", &number), ("drained", &!undo)]),
        _ if undo => format!("node {name} may run things again\n"),
        _ if options.no_wait => {
            format!(
                "node {name} is being drained: {} to go\n",
                outcome.instances.len()
            )
        }
        _ => format!("node {name} runs nothing of what is kept alive\n"),
    };
    Ok(output::print(&text)?)
}

/// Waits until a node that is being drained has nothing, but not beyond a time; says on
/// standard error where each thing goes. What is left there.
pub(crate) fn until_empty(
    client: &mut Client,
    number: u16,
    until: Option<Instant>,
) -> Result<Vec<InstanceView>, Fail> {
    let mut there: Option<BTreeSet<(String, u32)>> = None;
    loop {
        let view = service::fetch(client, &[])?;
        if !view.drained.contains(&number) {
            let why = format!("node {number} is not being drained any more");
            return Err(Fail::Failed(why));
        }
        let (left, others): (Vec<_>, Vec<_>) = view
            .instances
            .into_iter()
            .partition(|instance| instance.node == Some(number));
        let now: BTreeSet<_> = left.iter().map(key).collect();
        let waiting = there.get_or_insert_with(|| now.clone());
        for instance in &others {
            if now.contains(&key(instance)) || !waiting.contains(&key(instance)) {
                continue;
            }
            if let Some(line) = went(instance) {
                eprintln!("{}", output::plain(&line));
                waiting.remove(&key(instance));
            }
        }
        // What runs once on each node is nowhere else.
        let known: BTreeSet<_> = others.iter().map(key).collect();
        waiting.retain(|(name, instance)| {
            let key = (name.clone(), *instance);
            let ended = !now.contains(&key) && !known.contains(&key);
            if ended {
                let name = service::called(name, *instance);
                eprintln!("{} has ended", output::plain(&name));
            }
            !ended
        });
        let over = until.is_some_and(|until| Instant::now() > until);
        // What has just ended there may be about to start elsewhere.
        if left.is_empty() && (waiting.is_empty() || others.iter().all(|o| !moves(waiting, o))) {
            return Ok(left);
        }
        if over {
            return Ok(left);
        }
        thread::sleep(LOOK);
    }
}

fn key(instance: &InstanceView) -> (String, u32) {
    (instance.name.clone(), instance.instance)
}

fn moves(waiting: &BTreeSet<(String, u32)>, instance: &InstanceView) -> bool {
    waiting.contains(&key(instance)) && went(instance).is_none()
}

/// Where something went that was on the node; none: it is on its way.
fn went(instance: &InstanceView) -> Option<String> {
    let name = service::name(instance);
    match (&*instance.state, instance.node) {
        ("ok", Some(node)) => Some(format!("{name} runs on node {node}")),
        ("start" | "daemonize" | "unknown", _) => None,
        ("nowhere", _) => Some(format!("{name} has ended: no other node may run it now")),
        (state, Some(node)) => Some(format!(
            "{name} is {state} on node {node}: {}",
            instance.why
        )),
        (state, None) => Some(format!("{name} is {state}: {}", instance.why)),
    }
}
