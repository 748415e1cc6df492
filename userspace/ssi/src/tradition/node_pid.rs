use clap::Args;
use ssi_api::process::Pid;

use super::here;
use crate::args::Common;
use crate::fail::Fail;
use crate::help;
use crate::output::{self, Format};

/// Traditional: the node that made a process
///
/// Its number says that, whether the process is there or not. A number is printed for each, in
/// their order; for a plain pid it is this node's, 0 on a machine in no cluster.
#[derive(Debug, Args)]
#[command(after_long_help = help::lesson("\
  ssi node_pid 8389842
  ssi node_pid 2/1234 $$"))]
pub(crate) struct Options {
    /// 1234 (of this node), 2/1234 or 8389842 (of node 2)
    #[arg(required = true, value_name = "PID")]
    processes: Vec<Pid>,
}

pub(crate) fn run(options: &Options, common: &Common) -> Result<(), Fail> {
    let here = match options
        .processes
        .iter()
        .all(|process| process.node().is_some())
    {
        true => 0,
        false => here(&mut common.connect()?)?,
    };
    let nodes = options
        .processes
        .iter()
        .map(|process| process.node().unwrap_or(here));
    let nodes: Vec<_> = nodes.collect();
    Ok(output::print(&match common.output {
        Format::Json => output::json(&[("nodes", &nodes)]),
        _ => nodes.iter().map(|node| format!("{node}\n")).collect(),
    })?)
}
