//! `ssi drain`: a node that is to run nothing.

use std::thread;
use std::time::Duration;

use clap::Args;
use ssi_api::control::Client;
use ssi_api::service::ServiceRequest;

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
/// One thing after the other goes to another node, or ends if no other may run it. Nothing comes
/// to the node until `ssi drain --undo`, whatever happens to it meanwhile. It returns when
/// nothing is left there.
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
    let request = ServiceRequest::Drain { node: number, undo };
    let outcome = service::change(&mut client, request)?;
    if !undo && !options.no_wait {
        let what =
            format!("ssi drain: node {name} still runs something; `ssi service list` shows it");
        patiently(&what, common, || empty(&mut client, number))?;
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

/// Waits until a node has nothing.
fn empty(client: &mut Client, number: u16) -> Result<(), Fail> {
    loop {
        let view = service::fetch(client, &[])?;
        if !view.drained.contains(&number) {
            let why = format!("node {number} is not being drained any more");
            return Err(Fail::Failed(why));
        }
        if !view.instances.iter().any(|i| i.node == Some(number)) {
            return Ok(());
        }
        thread::sleep(LOOK);
    }
}
