//! `ssi run`, and the original's names of it: commands on other nodes.

mod all;
mod command;
mod grammar;
mod help;

use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;

use ssi_rexec::SOCKET;
use ssi_rexec::core::{FAILED, Whom};
use ssi_rexec::runner::{self, Wish};

pub(crate) use command::Cmd;
use grammar::{Invocation, Plan};
pub(crate) use help::help;

use crate::args::Common;
use crate::fail::Fail;
use crate::output::{self, Format};

/// The commands.
pub(crate) const NAMES: [&str; 6] = ["run", "onnode", "onall", "onclass", "fast", "fastnode"];

/// The command of this name.
pub(crate) fn named(name: &str) -> Option<&'static str> {
    NAMES.into_iter().find(|known| *known == name)
}

/// Runs the command line `args` of a command, called `shown` in messages.
pub(crate) fn run(name: &str, shown: &str, args: &[OsString], common: &Common) -> ExitCode {
    match carry_out(name, shown, args, common) {
        Ok(status) => ExitCode::from(status),
        Err(fail) => {
            fail.print(shown);
            // What the command says with its status must not be mixed up with ours.
            ExitCode::from(FAILED)
        }
    }
}

fn carry_out(name: &str, shown: &str, args: &[OsString], common: &Common) -> Result<u8, Fail> {
    let directory = common.socket.parent().unwrap_or(Path::new("/run/ssi"));
    let socket = directory.join(SOCKET);
    match grammar::parse(name, args).map_err(Fail::Usage)? {
        Invocation::Help => {
            output::print(help(name))?;
            Ok(0)
        }
        Invocation::One(plan) => Ok(runner::surrogate(&wish(plan, shown, socket))),
        Invocation::All(all) => all::run(&all, shown, common, &socket),
        Invocation::Where(whom) => {
            place(whom, common, &socket)?;
            Ok(0)
        }
    }
}

fn wish(plan: Plan, shown: &str, socket: std::path::PathBuf) -> Wish {
    Wish {
        name: shown.to_owned(),
        socket,
        whom: plan.whom,
        args: plan.args,
        pinned: plan.pinned,
        own_context: plan.own_context,
        terminals: plan.terminals,
        detached: plan.detached,
        no_input: plan.no_input,
        verbose: plan.verbose,
        report: plan.report,
    }
}

/// Says which node would be chosen.
fn place(whom: Whom, common: &Common, socket: &Path) -> Result<(), Fail> {
    let places = runner::nodes(socket, Some(whom)).map_err(|not| Fail::Failed(not.why))?;
    let place = places.first();
    let place = place.ok_or_else(|| Fail::Failed("there is no node for it now".to_owned()))?;
    let number = place.life.node;
    let text = match common.output {
        Format::Json => output::json(&[("number", &number), ("name", &place.name)]),
        _ => format!("{number}\n"),
    };
    Ok(output::print(&text)?)
}
