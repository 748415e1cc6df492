//! `ssi ps`: the node's processes, with the habits of ps.

mod columns;
mod grammar;
mod help;
mod print;
mod select;
mod units;

use std::ffi::OsString;

use grammar::{Asked, Invocation};
use ssi_api::control::{Reply, Request};
use ssi_api::process::{ProcessRequest, ProcessesView};

use crate::args::Common;
use crate::fail::Fail;
use crate::output::{self, Format};

pub(crate) use help::HELP;

/// Runs the command line `args`.
pub(crate) fn run(args: &[OsString], common: &Common) -> Result<(), Fail> {
    let words = args
        .iter()
        .map(|arg| {
            arg.to_str()
                .ok_or_else(|| Fail::Usage(format!("{} is not UTF-8", arg.display())))
        })
        .collect::<Result<Vec<_>, _>>()?;
    let asked = match grammar::parse(&words).map_err(Fail::Usage)? {
        Invocation::Help => return Ok(output::print(HELP)?),
        Invocation::Show(asked) => asked,
    };
    let format = asked.output.unwrap_or(common.output);
    let mut view = fetch(common, format == Format::Json || asked.wants_args())?;
    select::select(&mut view, &asked)?;
    sort(&mut view, &asked);
    let text = match format {
        Format::Json => output::json(&[("node", &view)]),
        Format::Table | Format::Wide => print::text(&view, &asked, print::width()),
    };
    // As ps: nobody found is a no.
    let found = !view.processes.is_empty();
    output::print(&text)?;
    if found { Ok(()) } else { Err(Fail::No) }
}

fn fetch(common: &Common, args: bool) -> Result<ProcessesView, Fail> {
    let mut client = common.connect()?;
    match client.request(Request::Process(ProcessRequest::List { args }))? {
        Reply::Processes(view) => Ok(*view),
        other => Err(client.unexpected(&other).into()),
    }
}

fn sort(view: &mut ProcessesView, asked: &Asked) {
    let mut processes = std::mem::take(&mut view.processes);
    // The last key first: each sorting leaves what is equal in its order.
    for (column, down) in asked.sort.iter().rev() {
        processes.sort_by(|a, b| {
            let order = column.order(view, a, b);
            if *down { order.reverse() } else { order }
        });
    }
    view.processes = processes;
}
