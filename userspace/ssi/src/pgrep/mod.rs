//! `ssi pgrep` and `ssi pkill`: processes of the cluster by what they are, with the habits of
//! procps.

mod grammar;
mod help;
mod select;

use std::ffi::OsString;

use serde::Serialize;
use ssi_api::process::{Cpid, Missing, Target};

use crate::args::{Common, words};
use crate::fail::Fail;
use crate::output::{self, Format};
use crate::process;
use grammar::{Asked, Beside, Invocation, Program};
use select::Found;

pub(crate) use help::{PGREP, PKILL};

/// Bytes of a name that the kernel keeps.
const NAME: usize = 15;
const TERM: i32 = 15;

/// Runs the command line `args` of pgrep.
pub(crate) fn grep(args: &[OsString], common: &Common) -> Result<(), Fail> {
    run(args, common, Program::Grep)
}

/// Runs the command line `args` of pkill.
pub(crate) fn kill(args: &[OsString], common: &Common) -> Result<(), Fail> {
    run(args, common, Program::Kill)
}

fn run(args: &[OsString], common: &Common, program: Program) -> Result<(), Fail> {
    let words = words(args)?;
    let asked = match grammar::parse(&words, program).map_err(Fail::Usage)? {
        Invocation::Help => {
            return Ok(output::print(match program {
                Program::Grep => PGREP,
                Program::Kill => PKILL,
            })?);
        }
        Invocation::Do(asked) => asked,
    };
    let done = match program {
        Program::Grep => show(&asked, common),
        Program::Kill => send(&asked, common),
    };
    // 1 is that nobody matched.
    done.map_err(|fail| match fail {
        Fail::Failed(why) => Fail::Fatal(why),
        other => other,
    })
}

fn show(asked: &Asked, common: &Common) -> Result<(), Fail> {
    let format = asked.output.unwrap_or(common.output);
    let args = asked.full || asked.beside == Beside::Args || format == Format::Json;
    let all = process::fetch(common, &asked.nodes, args)?;
    let found = select::select(&all, asked, std::process::id())?;
    if !asked.quiet {
        output::print(&match format {
            Format::Json => json(&found, &all.missing),
            _ if asked.count => format!("{}\n", found.len()),
            _ => lines(&found, asked),
        })?;
    }
    end(Program::Grep, asked, found.len(), &all.missing)
}

fn send(asked: &Asked, common: &Common) -> Result<(), Fail> {
    let all = process::fetch(common, &asked.nodes, asked.full)?;
    let found = select::select(&all, asked, std::process::id())?;
    let targets: Vec<_> = found.iter().map(|found| found.target()).collect();
    let signal = asked.signal.unwrap_or(TERM);
    let sent = match targets.is_empty() {
        true => Vec::new(),
        false => process::send(&mut common.connect()?, signal, targets, false)?,
    };
    let mut got = 0;
    for (found, sent) in found.iter().zip(&sent) {
        let (who, name) = (found.number(), &found.process.comm);
        match process::why("process", found.node(), sent) {
            Some(why) => {
                let line = format!("ssi pkill: ({who}, {name}): {why}");
                eprintln!("{}", output::plain(&line));
            }
            None => {
                got += 1;
                if asked.echo {
                    let line = output::plain(&format!("{name} killed (pid {who})"));
                    output::print(&format!("{line}\n"))?;
                }
            }
        }
    }
    if asked.count {
        output::print(&format!("{}\n", found.len()))?;
    }
    end(Program::Kill, asked, got, &all.missing)
}

/// How it ends, as procps: 0 somebody, 1 nobody; a node that was not heard makes it 3, as
/// nobody knows then.
fn end(program: Program, asked: &Asked, count: usize, missing: &[Missing]) -> Result<(), Fail> {
    let name = program.name();
    process::tell(&format!("ssi {name}"), missing).map_err(|_| Fail::Partial)?;
    if count > 0 {
        return Ok(());
    }
    let long = asked
        .pattern
        .as_ref()
        .is_some_and(|pattern| pattern.len() > NAME);
    if long && !asked.full {
        eprintln!("ssi {name}: names have {NAME} bytes at most; -f looks at the arguments");
    }
    Err(Fail::No)
}

impl Found<'_> {
    /// Its node; none in no cluster.
    fn node(self) -> Option<u16> {
        Some(self.node.number).filter(|number| *number > 0)
    }

    fn cpid(self) -> Option<Cpid> {
        Cpid::new(self.node.number, self.process.pid)
    }

    /// As it is written.
    fn number(self) -> String {
        self.cpid()
            .map_or_else(|| self.process.pid.to_string(), |cpid| cpid.to_string())
    }

    /// The very process that was found.
    fn target(self) -> Target {
        Target {
            node: self.node(),
            // A pid has 22 bits.
            pid: self.process.pid.cast_signed(),
            start: Some(self.process.start),
        }
    }
}

fn lines(found: &[Found<'_>], asked: &Asked) -> String {
    let line = |found: &Found<'_>| match asked.beside {
        Beside::Nothing => found.number(),
        Beside::Name => format!("{} {}", found.number(), output::plain(&found.process.comm)),
        Beside::Args => format!(
            "{} {}",
            found.number(),
            output::plain(&select::args(found.process))
        ),
    };
    let lines: Vec<_> = found.iter().map(line).collect();
    let mut text = lines.join(asked.delimiter.as_deref().unwrap_or("\n"));
    if !text.is_empty() {
        text.push('\n');
    }
    text
}

/// A process for programs.
#[derive(Serialize)]
struct Row<'a> {
    cpid: Option<Cpid>,
    node: u16,
    pid: u32,
    comm: &'a str,
    args: &'a [String],
}

fn json(found: &[Found<'_>], missing: &[Missing]) -> String {
    let rows = found.iter().map(|found| Row {
        cpid: found.cpid(),
        node: found.node.number,
        pid: found.process.pid,
        comm: &found.process.comm,
        args: &found.process.args,
    });
    let rows: Vec<_> = rows.collect();
    output::json(&[("processes", &rows), ("missing", &missing)])
}
