use clap::Args;
use ssi_api::cluster::NodeState;

use super::asked;
use crate::args::Common;
use crate::cluster;
use crate::fail::Fail;
use crate::help;
use crate::node::Node;
use crate::output::{self, Format};

/// Traditional: whether a node is UP, as a word and as the exit status
#[derive(Debug, Args)]
#[command(after_long_help = help::lesson_with("the node is not UP, or it failed", "\
  ssi clusternode_avail 3
  if ssi clusternode_avail blue3 >/dev/null; then …"))]
pub(crate) struct Options {
    /// Number or name of the node [default: this node]
    node: Option<Node>,
}

pub(crate) fn run(options: &Options, common: &Common) -> Result<(), Fail> {
    let view = cluster::show(&mut common.connect()?)?;
    let node = asked(options.node.as_ref(), &view)?;
    let available = node.state == NodeState::Up;
    let text = match common.output {
        Format::Json => output::json(&[("number", &node.number), ("available", &available)]),
        _ => format!("{}\n", word(available)),
    };
    output::print(&text)?;
    if available { Ok(()) } else { Err(Fail::No) }
}

const fn word(available: bool) -> &'static str {
    if available {
        "available"
    } else {
        "unavailable"
    }
}
