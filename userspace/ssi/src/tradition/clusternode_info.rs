use clap::Args;

use super::asked;
use crate::args::Common;
use crate::cluster;
use crate::fail::Fail;
use crate::help;
use crate::node::Node;
use crate::output;

/// Traditional: everything about a node, one `key: value` a line
///
/// The same as ssi cluster -V NODE.
#[derive(Debug, Args)]
#[command(after_long_help = help::lesson("\
  ssi clusternode_info
  ssi clusternode_info 3 | sed -n 's/^CPUs: //p'"))]
pub(crate) struct Options {
    /// Number or name of the node [default: this node]
    node: Option<Node>,
}

pub(crate) fn run(options: &Options, common: &Common) -> Result<(), Fail> {
    let view = cluster::show(&mut common.connect()?)?;
    let node = asked(options.node.as_ref(), &view)?;
    let detail = cluster::detail(&view, node);
    Ok(output::print(&detail.print(common.output))?)
}
