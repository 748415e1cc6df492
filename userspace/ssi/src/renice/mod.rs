//! `ssi renice`: the niceness of processes of the cluster, with the habits of renice.

mod grammar;
mod help;

use std::ffi::OsString;

use ssi_api::control::{Client, Reply, Request};
use ssi_api::process::{ClusterProcesses, Cpid, Niced, Pid, ProcessRequest, Target};

use crate::args::{Common, words};
use crate::fail::Fail;
use crate::output;
use crate::process::{self, choice, user};
use grammar::{Asked, Invocation};

pub(crate) use help::HELP;

/// Runs the command line `args`.
pub(crate) fn run(args: &[OsString], common: &Common) -> Result<(), Fail> {
    let words = words(args)?;
    let asked = match grammar::parse(&words).map_err(Fail::Usage)? {
        Invocation::Help => return Ok(output::print(HELP)?),
        Invocation::Change(asked) => asked,
    };
    let (mut whom, missing) = (named(&asked), Vec::new());
    let missing = match asked.groups.is_empty() && asked.users.is_empty() {
        true => missing,
        false => {
            let all = process::fetch(common, &asked.nodes, false)?;
            whom.extend(found(&all, &asked)?);
            all.missing
        }
    };
    let targets = whom.iter().map(|(_, target)| *target).collect();
    let niced = change(&mut common.connect()?, asked.nice, asked.relative, targets)?;
    let mut all = !niced.is_empty();
    if niced.is_empty() {
        eprintln!("ssi renice: there is nobody of that kind; see: ssi ps -e");
    }
    for ((who, target), niced) in whom.iter().zip(&niced) {
        match why(target.node, niced) {
            Ok((old, new)) => output::print(&format!(
                "{who} (process ID) old priority {old}, new priority {new}\n"
            ))?,
            Err(why) => {
                eprintln!("{}", output::plain(&format!("ssi renice: ({who}): {why}")));
                all = false;
            }
        }
    }
    process::tell("ssi renice", &missing)?;
    if all { Ok(()) } else { Err(Fail::No) }
}

/// Those of `-p`.
fn named(asked: &Asked) -> Vec<(Pid, Target)> {
    let target = |who: &Pid| Target {
        node: who.node(),
        // A pid has 22 bits.
        pid: who.pid().cast_signed(),
        start: None,
    };
    asked
        .processes
        .iter()
        .map(|who| (*who, target(who)))
        .collect()
}

/// Those of groups and of users; exactly those that are there now.
fn found(all: &ClusterProcesses, asked: &Asked) -> Result<Vec<(Pid, Target)>, Fail> {
    let users = user::uids(&asked.users)?;
    let mut found = Vec::new();
    for node in &all.nodes {
        let them = node.said.processes.iter().filter(|process| {
            users.contains(&process.uid)
                || choice::is(&asked.groups, all.here, node.number, process.pgid)
        });
        found.extend(them.map(|process| {
            let cpid = Cpid::new(node.number, process.pid);
            let target = Target {
                node: cpid.map(Cpid::node),
                pid: process.pid.cast_signed(),
                start: Some(process.start),
            };
            (cpid.map_or(Pid::Here(process.pid), Pid::At), target)
        }));
    }
    Ok(found)
}

/// Changes niceness; what became of it, in the order of the targets.
pub(crate) fn change(
    client: &mut Client,
    nice: i32,
    relative: bool,
    targets: Vec<Target>,
) -> Result<Vec<Niced>, Fail> {
    let count = targets.len();
    let request = Request::Process(ProcessRequest::Nice {
        nice,
        relative,
        targets,
        behalf: None,
    });
    match client.request(request)? {
        Reply::Niced(niced) if niced.len() == count => Ok(niced),
        other => Err(client.unexpected(&other).into()),
    }
}

/// What it was and is, or why it was not changed and what to do.
pub(crate) fn why(node: Option<u16>, niced: &Niced) -> Result<(i32, i32), String> {
    Err(match niced {
        Niced::Done { old, new } => return Ok((*old, *new)),
        Niced::NoProcess => process::nobody("process", node),
        Niced::NotPermitted => {
            "not permitted: it is another user's; its owner may, and root".to_owned()
        }
        Niced::NotLower => {
            "not permitted: only root may make it less nice than its limit says (ulimit -e)"
                .to_owned()
        }
        Niced::NoNode(why) => format!("{why}; see: ssi cluster"),
        Niced::Unknown(why) => {
            format!("{why}: whether the priority was changed is not known; see: ssi ps -o npid,ni")
        }
        Niced::Failed(why) => why.clone(),
    })
}
