//! `ssi pstree`: the processes of each node as a tree, with the habits of pstree.

mod draw;
mod forest;
mod json;
mod label;

use clap::Args;
use ssi_api::control::{Reply, Request};
use ssi_api::process::Pid;

use crate::args::Common;
use crate::fail::Fail;
use crate::help;
use crate::node::Node;
use crate::output::{self, Format};
use crate::process::{self, user};
use draw::Glyphs;
use forest::Forest;

/// The processes of the cluster as trees, one below each node, with the habits of pstree
///
/// Children that look alike are drawn once, with their number: `3*[bash]`. Threads of the kernel
/// are left out, those of processes are not drawn.
#[derive(Debug, Args)]
#[command(after_long_help = help::lesson_with("failed, nobody found or a node silent", "\
  ssi pstree
  ssi pstree -pa --node 2
  ssi pstree 2/1234                   a process and its descendants
  ssi pstree -u guest                 what a user runs: USER works, too
  ssi pstree -o json | jq '.processes[] | select(.depth == 0)'"))]
#[expect(clippy::struct_excessive_bools, reason = "they are options")]
pub(crate) struct Options {
    /// Only this process and its descendants (1234 of this node, 2/1234, 8389842), or only
    /// this user's processes with theirs
    #[arg(value_name = "PID|USER")]
    whom: Option<String>,
    /// Show the numbers; nobody looks alike then
    #[arg(short = 'p', long)]
    show_pids: bool,
    /// Show the user where it is not that of the parent
    #[arg(short = 'u', long)]
    uid_changes: bool,
    /// Show the arguments, a line each
    #[arg(short = 'a', long)]
    arguments: bool,
    /// In order of their numbers, not of their names
    #[arg(short = 'n', long)]
    numeric_sort: bool,
    /// Draw also those that look alike
    #[arg(short = 'c', long)]
    compact_not: bool,
    /// Also threads of the kernel
    #[arg(short = 'k', long)]
    kernel: bool,
    /// Don't cut long lines at the edge of the terminal
    #[arg(short = 'l', long)]
    long: bool,
    /// Draw in ASCII, whatever the locale says
    #[arg(short = 'A', long, conflicts_with = "unicode")]
    ascii: bool,
    /// Draw with the lines of UTF-8, whatever the locale says
    #[arg(short = 'U', long)]
    unicode: bool,
    /// Only these nodes: numbers or names, with commas
    #[arg(long = "node", value_name = "NODES", value_delimiter = ',')]
    nodes: Vec<Node>,
}

/// Whom the tree begins with.
enum Whom {
    All,
    Process(Pid),
    User(u32),
}

pub(crate) fn run(options: &Options, common: &Common) -> Result<(), Fail> {
    let whom = options.whom()?;
    let json = common.output == Format::Json;
    let all = process::fetch(common, &options.nodes, options.arguments || json)?;
    let forest = Forest::grow(&all, &whom, options.kernel);
    if json {
        output::print(&json::text(&forest, &all.missing))?;
    } else {
        let name = cluster(common)?;
        let drawing = draw::Drawing {
            glyphs: Glyphs::choose(options.ascii, options.unicode),
            lines: options.arguments,
            width: output::width().filter(|_| !options.long),
        };
        let style = label::Style {
            pids: options.show_pids,
            users: options.uid_changes,
            args: options.arguments,
            by_number: options.numeric_sort,
            compact: !(options.show_pids || options.arguments || options.compact_not),
        };
        output::print(&drawing.draw(&label::label(&forest, &name, style)))?;
    }
    process::tell("ssi pstree", &all.missing)?;
    if forest.is_empty() {
        let whom = options.whom.as_deref().unwrap_or("anybody");
        eprintln!(
            "{}",
            output::plain(&format!("ssi pstree: no process of {whom}; see: ssi ps -e"))
        );
        return Err(Fail::No);
    }
    Ok(())
}

impl Options {
    fn whom(&self) -> Result<Whom, Fail> {
        let Some(text) = &self.whom else {
            return Ok(Whom::All);
        };
        if text.starts_with(|c: char| c.is_ascii_digit()) {
            let pid = text.parse();
            let pid: Pid =
                pid.map_err(|why: ssi_api::process::NoPid| Fail::Usage(why.to_string()))?;
            return Ok(Whom::Process(pid));
        }
        Ok(Whom::User(user::uid(text)?))
    }
}

/// The cluster's name; of a machine in none, its own.
fn cluster(common: &Common) -> Result<String, Fail> {
    let mut client = common.connect()?;
    match client.request(Request::Status)? {
        Reply::Status(status) if status.cluster.is_empty() => Ok(status.node.name),
        Reply::Status(status) => Ok(status.cluster),
        other => Err(client.unexpected(&other).into()),
    }
}
