use clap::Args;

use super::asked;
use crate::args::Common;
use crate::cluster;
use crate::fail::Fail;
use crate::help;
use crate::node::Node;
use crate::output::{self, Format};

/// Traditional: the state of a node, a word
///
/// NEVERUP, COMINGUP, UP, SHUTDOWN, GOINGDOWN, KCLEANUP, UCLEANUP or DOWN.
#[derive(Debug, Args)]
#[command(after_long_help = help::lesson("\
  ssi clusternode_getstate 3
  until [ \"$(ssi clusternode_getstate 3)\" = DOWN ]; do sleep 1; done"))]
pub(crate) struct Options {
    /// Number or name of the node [default: this node]
    node: Option<Node>,
}

pub(crate) fn run(options: &Options, common: &Common) -> Result<(), Fail> {
    let view = cluster::show(&mut common.connect()?)?;
    let node = asked(options.node.as_ref(), &view)?;
    let text = match common.output {
        Format::Json => output::json(&[("number", &node.number), ("state", &node.state)]),
        _ => format!("{}\n", node.state),
    };
    Ok(output::print(&text)?)
}
