//! `ssi lvs`: ipvsadm's command line, said to `ssid`.

mod grammar;
mod names;
mod print;
mod restore;
#[cfg(test)]
mod round_trip;
mod save;

use std::ffi::OsString;
use std::io;

use grammar::{Action, Invocation, List, View};
use names::{Printed, System};
use print::Templates;
use ssi_api::control::{Client, ClientError, LvsRequest, Reply, Request};
use ssi_api::lvs::{Command, ConnectionView, ServiceName, ServiceView};

use crate::args::{Common, words};
use crate::fail::Fail;
use crate::output::{self, Format};

/// What `ssi lvs --help` says.
pub(crate) const HELP: &str = include_str!("help.txt");

/// Runs the command line `args`.
pub(crate) fn run(args: &[OsString], common: &Common) -> Result<(), Fail> {
    let args: Vec<String> = words(args)?.into_iter().map(str::to_owned).collect();
    let names = System::default();
    let Invocation {
        action,
        output,
        notes,
    } = grammar::parse(&args, &names).map_err(|e| Fail::Usage(e.to_string()))?;
    say(&notes);
    let format = output.unwrap_or(common.output);
    let text = match action {
        Action::Help => HELP.to_owned(),
        Action::Version => format!("ssi lvs {}\n", env!("CARGO_PKG_VERSION")),
        Action::Change(command) => {
            apply(&mut common.connect()?, vec![command])?;
            return Ok(());
        }
        Action::Restore => return restore(common, &names),
        Action::Save { numeric, nosort } => {
            let mut client = common.connect()?;
            let (mut services, _) = services(&mut client, None)?;
            if !nosort {
                print::sort(&mut services);
            }
            match format {
                Format::Json => output::json(&[("services", &services)]),
                _ => save::rules(&services, &Printed::new(numeric)),
            }
        }
        Action::List(how) => list(&mut common.connect()?, &how, format)?,
    };
    Ok(output::print(&text)?)
}

fn say(notes: &[String]) {
    for note in notes {
        eprintln!("ssi lvs: note: {note}");
    }
}

fn restore(common: &Common, names: &System) -> Result<(), Fail> {
    let rules = restore::read(io::stdin().lock(), names).map_err(|e| Fail::Usage(e.to_string()))?;
    say(&rules.notes);
    match apply(&mut common.connect()?, rules.commands) {
        Err(ClientError::Failed(failure)) => {
            let line = failure.command.and_then(|at| rules.lines.get(at));
            Err(Fail::Failed(match line {
                Some(line) => format!("line {line}: {failure}; nothing was changed"),
                None => format!("{failure}; nothing was changed"),
            }))
        }
        result => Ok(result?),
    }
}

fn apply(client: &mut Client, commands: Vec<Command>) -> Result<(), ClientError> {
    match client.request(Request::Lvs(LvsRequest::Apply { commands }))? {
        Reply::Done => Ok(()),
        other => Err(client.unexpected(&other)),
    }
}

fn services(
    client: &mut Client,
    service: Option<ServiceName>,
) -> Result<(Vec<ServiceView>, u32), ClientError> {
    match client.request(Request::Lvs(LvsRequest::List { service }))? {
        Reply::Services { services, size } => Ok((services, size)),
        other => Err(client.unexpected(&other)),
    }
}

fn connections(client: &mut Client) -> Result<(Vec<ConnectionView>, bool), ClientError> {
    match client.request(Request::Lvs(LvsRequest::Connections { limit: 0 }))? {
        Reply::Connections { entries, truncated } => Ok((entries, truncated)),
        other => Err(client.unexpected(&other)),
    }
}

fn list(client: &mut Client, how: &List, format: Format) -> Result<String, Fail> {
    let names = Printed::new(how.numeric);
    match how.view {
        View::Daemon => Ok(String::new()),
        View::Timeouts => match client.request(Request::Lvs(LvsRequest::Timeouts))? {
            Reply::Timeouts(timeouts) if format == Format::Json => {
                Ok(output::json(&[("timeouts", &timeouts)]))
            }
            Reply::Timeouts(timeouts) => Ok(print::timeouts(timeouts)),
            other => Err(client.unexpected(&other).into()),
        },
        View::Connections => list_connections(client, how, format, &names),
        _ => {
            let (mut services, size) = services(client, how.service)?;
            if !how.nosort {
                print::sort(&mut services);
            }
            let templates = if how.view == View::Persistent {
                Templates::of(connections(client)?.0)
            } else {
                Templates::default()
            };
            Ok(match format {
                Format::Json => output::json(&[("size", &size), ("services", &services)]),
                Format::Wide => print::wide(&services, &names),
                Format::Table => print::list(&services, size, &templates, how, &names),
            })
        }
    }
}

fn list_connections(
    client: &mut Client,
    how: &List,
    format: Format,
    names: &Printed,
) -> Result<String, Fail> {
    let (mut entries, truncated) = connections(client)?;
    if let Some(ServiceName::Address {
        protocol,
        addr,
        port,
    }) = how.service
    {
        entries.retain(|entry| {
            entry.protocol == protocol
                && entry.virtual_addr.ip() == addr
                && (port == 0 || entry.virtual_addr.port() == port)
        });
    }
    if !how.nosort {
        entries.sort_by_key(|entry| (entry.protocol, entry.source, entry.virtual_addr));
    }
    if format == Format::Json {
        return Ok(output::json(&[
            ("truncated", &truncated),
            ("connections", &entries),
        ]));
    }
    if truncated {
        say(&["there are more connections than one reply holds; these are some".to_owned()]);
    }
    Ok(print::connections(&entries, names))
}
