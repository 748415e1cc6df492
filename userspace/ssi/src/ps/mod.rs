//! `ssi ps`: the processes of the cluster, with the habits of ps.

mod column;
mod columns;
mod forest;
mod form;
mod grammar;
mod help;
mod json;
mod print;
mod select;

use std::cmp::Ordering;
use std::ffi::OsString;

use column::{Line, Value};
use grammar::{Asked, Invocation};

use crate::args::{Common, words};
use crate::fail::Fail;
use crate::output::{self, Format};
use crate::process;

pub(crate) use help::HELP;

/// Runs the command line `args`.
pub(crate) fn run(args: &[OsString], common: &Common) -> Result<(), Fail> {
    let words = words(args)?;
    let asked = match grammar::parse(&words).map_err(Fail::Usage)? {
        Invocation::Help => return Ok(output::print(HELP)?),
        Invocation::Show(asked) => asked,
    };
    let format = asked.output.unwrap_or(common.output);
    let args = format == Format::Json || asked.wants_args();
    let fetched = process::fetch(common, &asked.nodes, args)?;
    let lines = sorted(select::select(&fetched, &asked)?, &asked);
    let grown = asked.forest.map(|art| forest::grow(&lines, art));
    let lines = match &grown {
        Some(grown) => grown
            .iter()
            .map(|(line, before)| Line { before, ..*line })
            .collect(),
        None => lines,
    };
    match format {
        Format::Json => json::print(&fetched, &lines)?,
        Format::Table | Format::Wide => {
            let width = asked.width(output::width());
            output::print(&print::text(&lines, &asked, width))?;
        }
    }
    process::tell("ssi ps", &fetched.missing)?;
    // As ps: nobody found is a no.
    if lines.is_empty() {
        return Err(Fail::No);
    }
    Ok(())
}

/// In the order that was asked for; what is equal stays in its order. Each key is made once:
/// there may be 100,000 lines.
fn sorted<'a>(lines: Vec<Line<'a>>, asked: &Asked) -> Vec<Line<'a>> {
    if asked.sort.is_empty() {
        return lines;
    }
    let keys = |line| {
        asked
            .sort
            .iter()
            .map(move |(column, _)| (column.value)(line))
    };
    let mut keyed: Vec<(Vec<Value>, Line<'a>)> = lines
        .into_iter()
        .map(|line| (keys(line).collect(), line))
        .collect();
    keyed.sort_by(|(a, _), (b, _)| {
        let mut orders = a.iter().zip(b).zip(&asked.sort).map(|((a, b), (_, down))| {
            let order = a.order(b);
            if *down { order.reverse() } else { order }
        });
        let decided = orders.find(|order| order.is_ne());
        decided.unwrap_or(Ordering::Equal)
    });
    keyed.into_iter().map(|(_, line)| line).collect()
}
