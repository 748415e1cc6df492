use clap::Args;
use ssi_api::process::{Pid, Signalled, Target};

use super::here;
use crate::args::Common;
use crate::fail::Fail;
use crate::help;
use crate::output::{self, Format};
use crate::process;

/// Traditional: the node on which a process runs
///
/// The process has to be there. A number is printed for each, in their order; on a machine in
/// no cluster it is 0.
#[derive(Debug, Args)]
#[command(after_long_help = help::lesson_with("there is no such process, or it failed", "\
  ssi where_pid 8389842
  ssi where_pid 2/1234 $$"))]
pub(crate) struct Options {
    /// 1234 (of this node), 2/1234 or 8389842 (of node 2)
    #[arg(required = true, value_name = "PID")]
    processes: Vec<Pid>,
}

pub(crate) fn run(options: &Options, common: &Common) -> Result<(), Fail> {
    let mut client = common.connect()?;
    let here = here(&mut client)?;
    let targets = options.processes.iter().map(|process| Target {
        node: process.node(),
        // A pid has 22 bits.
        pid: process.pid().cast_signed(),
        start: None,
    });
    // Signal 0 only looks, and a process that may not be signalled is there, too.
    let looked = process::send(&mut client, 0, targets.collect(), false)?;
    let mut all = true;
    let mut nodes = Vec::new();
    for (process, looked) in options.processes.iter().zip(&looked) {
        match process::why("process", process.node(), looked) {
            Some(why) if *looked != Signalled::NotPermitted => {
                let line = format!("ssi where_pid: ({process}): {why}");
                eprintln!("{}", output::plain(&line));
                all = false;
            }
            _ => nodes.push(process.node().unwrap_or(here)),
        }
    }
    output::print(&match common.output {
        Format::Json => output::json(&[("nodes", &nodes)]),
        _ => nodes.iter().map(|node| format!("{node}\n")).collect(),
    })?;
    if all { Ok(()) } else { Err(Fail::No) }
}
