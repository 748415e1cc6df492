//! `ssi run`, and the original's names of it: commands on other nodes.

mod all;
mod fail;
mod grammar;
mod help;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use serde::Serialize;
use ssi_api::control;
use ssi_api::text::{self, JSON_VERSION};
use ssi_rexec::SOCKET;
use ssi_rexec::core::{FAILED, Whom};
use ssi_rexec::runner::{self, Wish};

use fail::Fail;
use grammar::{Invocation, Plan};
pub use help::help;

/// The commands.
pub const NAMES: [&str; 6] = ["run", "onnode", "onall", "onclass", "fast", "fastnode"];

/// The command of this name.
#[must_use]
pub fn named(name: &str) -> Option<&'static str> {
    NAMES.into_iter().find(|known| *known == name)
}

/// What was said before the name of the command.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where `ssid` listens.
    pub socket: PathBuf,
    /// Whether answers are for programs.
    pub json: bool,
}

impl Settings {
    /// The defaults, with the socket that the environment names.
    #[must_use]
    pub fn from_env() -> Self {
        Self {
            socket: control::socket(),
            json: false,
        }
    }
}

/// The whole of a program that is one of these commands: the one that it is called by, or that
/// its first argument names.
#[must_use]
pub fn program(argv: &[OsString]) -> ExitCode {
    let name = |arg: &OsString| named(Path::new(arg).file_name()?.to_str()?);
    let found = argv.iter().zip(1..).take(2);
    let found = found.filter_map(|(arg, next)| Some((name(arg)?, next)));
    match found.into_iter().next() {
        Some((name, next)) => run(name, name, &argv[next..], &Settings::from_env()),
        None => {
            let known = NAMES.join(", ");
            eprintln!("ssi-remote: which command? it is one of {known}");
            ExitCode::from(FAILED)
        }
    }
}

/// Runs the command line `args` of a command, called `shown` in messages.
#[must_use]
pub fn run(name: &str, shown: &str, args: &[OsString], settings: &Settings) -> ExitCode {
    match carry_out(name, shown, args, settings) {
        Ok(status) => ExitCode::from(status),
        Err(fail) => {
            fail.print(shown);
            // What the command says with its status must not be mixed up with ours.
            ExitCode::from(FAILED)
        }
    }
}

fn carry_out(name: &str, shown: &str, args: &[OsString], settings: &Settings) -> Result<u8, Fail> {
    let socket = socket_of(&settings.socket);
    match grammar::parse(name, args).map_err(Fail)? {
        Invocation::Help => {
            text::print(help(name))?;
            Ok(0)
        }
        Invocation::One(plan) => {
            let socket = plan.socket.as_deref().map_or(socket, socket_of);
            Ok(runner::surrogate(&wish(plan, shown, socket)))
        }
        Invocation::All(all) => all::run(&all, shown, settings, &socket),
        Invocation::Where(whom) => {
            place(whom, settings, &socket)?;
            Ok(0)
        }
    }
}

/// The one for remote execution is beside the control socket.
fn socket_of(control: &Path) -> PathBuf {
    control
        .parent()
        .unwrap_or(Path::new("/run/ssi"))
        .join(SOCKET)
}

fn wish(plan: Plan, shown: &str, socket: PathBuf) -> Wish {
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

/// What `-o json` says of a node.
#[derive(Serialize)]
struct Chosen<'a> {
    name: &'a str,
    number: u16,
    version: u32,
}

/// Says which node would be chosen.
fn place(whom: Whom, settings: &Settings, socket: &Path) -> Result<(), Fail> {
    let nodes = runner::nodes(socket, Some(whom))?;
    let place = nodes.wanted.first();
    let place = place.ok_or_else(|| Fail("there is no node for it now".to_owned()))?;
    let number = place.life.node;
    if settings.json {
        return Ok(text::print_json(&Chosen {
            name: &place.name,
            number,
            version: JSON_VERSION,
        })?);
    }
    Ok(text::print(&format!("{number}\n"))?)
}
