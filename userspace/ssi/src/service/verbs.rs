//! Commands that change how processes are.

use clap::Args;
use ssi_api::control::Client;
use ssi_api::service::ServiceRequest;

use super::instance::Instance;
use super::{change, silent};
use crate::args::Common;
use crate::cluster;
use crate::fail::Fail;
use crate::help;
use crate::node::Node;
use crate::output::{self, Format};

/// Have processes run that were stopped
///
/// What is down because it failed too often is started, too; its errors still count.
#[derive(Debug, Args)]
#[command(after_long_help = help::lesson("  ssi service start web"))]
pub(super) struct Start {
    /// Processes or groups
    #[arg(required = true, value_name = "NAME")]
    names: Vec<String>,
}

/// Stop processes; they stay so until they are started
///
/// Whoever depends on others ends first, and what is balanced once new connections go elsewhere.
/// It holds over restarts of ssid, and for whatever node
/// would have to run them.
#[derive(Debug, Args)]
#[command(after_long_help = help::lesson("  ssi service stop web"))]
pub(super) struct Stop {
    /// Processes or groups
    #[arg(required = true, value_name = "NAME")]
    names: Vec<String>,
}

/// Forget errors, and start what is down because of them
#[derive(Debug, Args)]
#[command(after_long_help = help::lesson_with("failed, or a node did not do its part", "  ssi service clear web"))]
pub(super) struct Clear {
    /// Processes or groups
    #[arg(required = true, value_name = "NAME")]
    names: Vec<String>,
}

/// Keep a process alive that runs already
///
/// It becomes an instance of a process that is configured and stopped; from then on it is
/// restarted like any other.
#[derive(Debug, Args)]
#[command(after_long_help = help::lesson("\
  ssi service stop web && ssi service adopt web 1234
  ssi service adopt web:1 1234 --node 2"))]
pub(super) struct Adopt {
    /// The process, or one of its instances: web:1
    #[arg(value_name = "NAME")]
    instance: Instance,
    /// The pid on its node
    #[arg(value_name = "PID", value_parser = clap::value_parser!(u32).range(2..))]
    pid: u32,
    /// Number or name of the node that it runs on [default: this one]
    #[arg(long, value_name = "NODE")]
    node: Option<Node>,
}

/// Keep processes alive no longer: they end, and their configuration goes
#[derive(Debug, Args)]
#[command(after_long_help = help::lesson("\
  ssi service remove web
  ssi service remove --keep web      it goes on, and nobody looks after it"))]
pub(super) struct Remove {
    /// Processes, or groups with all their members
    #[arg(required = true, value_name = "NAME")]
    names: Vec<String>,
    /// Let them run, without supervision
    #[arg(long)]
    keep: bool,
}

/// Start nothing until further notice, on no node
#[derive(Debug, Args)]
#[command(after_long_help = help::lesson("\
  ssi service quiesce
  ssi service quiesce --undo"))]
pub(super) struct Quiesce {
    /// Go on
    #[arg(long)]
    undo: bool,
}

impl Start {
    pub(super) fn run(&self, common: &Common) -> Result<(), Fail> {
        let names = self.names.clone();
        say(ServiceRequest::Start { names }, "started", common)
    }
}

impl Stop {
    pub(super) fn run(&self, common: &Common) -> Result<(), Fail> {
        let names = self.names.clone();
        say(ServiceRequest::Stop { names }, "stopped", common)
    }
}

impl Clear {
    pub(super) fn run(&self, common: &Common) -> Result<(), Fail> {
        let names = self.names.clone();
        say(ServiceRequest::Clear { names }, "cleared", common)
    }
}

impl Adopt {
    pub(super) fn run(&self, common: &Common) -> Result<(), Fail> {
        let mut client = common.connect()?;
        let node = match &self.node {
            None => None,
            Some(node) => Some(node.find(&cluster::show(&mut client)?)?.number),
        };
        let request = ServiceRequest::Adopt {
            name: self.instance.name.clone(),
            instance: self.instance.number,
            node,
            pid: self.pid,
        };
        told(&mut client, request, "adopted", common)
    }
}

impl Remove {
    pub(super) fn run(&self, common: &Common) -> Result<(), Fail> {
        let (names, keep) = (self.names.clone(), self.keep);
        say(ServiceRequest::Remove { names, keep }, "removed", common)
    }
}

impl Quiesce {
    pub(super) fn run(&self, common: &Common) -> Result<(), Fail> {
        let undo = self.undo;
        let done = if undo { "going on" } else { "quiesced" };
        say(ServiceRequest::Quiesce { undo }, done, common)
    }
}

fn say(request: ServiceRequest, done: &str, common: &Common) -> Result<(), Fail> {
    told(&mut common.connect()?, request, done, common)
}

/// Has something done, and says of which instances it was.
pub(crate) fn told(
    client: &mut Client,
    request: ServiceRequest,
    done: &str,
    common: &Common,
) -> Result<(), Fail> {
    let outcome = change(client, request)?;
    let text = match common.output {
        Format::Json => output::json(&[
            ("instances", &outcome.instances),
            ("missing", &outcome.missing),
        ]),
        _ if outcome.instances.is_empty() => format!("{done}\n"),
        _ => {
            let each = outcome.instances.iter().map(|(name, node)| match node {
                Some(node) => format!("{done}: {name} (node {node})\n"),
                None => format!("{done}: {name}\n"),
            });
            each.collect()
        }
    };
    output::print(&text)?;
    silent(&outcome.missing);
    if outcome.missing.is_empty() {
        Ok(())
    } else {
        Err(Fail::No)
    }
}
