//! `ssi kill`: signals to processes of the cluster, with the habits of kill.

mod grammar;
mod help;
mod signals;

use std::ffi::OsString;
use std::fmt;

use grammar::{Invocation, Whom};
use ssi_api::control::{Reply, Request};
use ssi_api::process::{Pid, ProcessRequest, Signalled, Target};

use crate::args::{Common, words};
use crate::fail::Fail;
use crate::output;

pub(crate) use help::HELP;

/// Runs the command line `args`.
pub(crate) fn run(args: &[OsString], common: &Common) -> Result<(), Fail> {
    let words = words(args)?;
    match grammar::parse(&words).map_err(Fail::Usage)? {
        Invocation::Help => Ok(output::print(HELP)?),
        Invocation::List(which) if which.is_empty() => Ok(output::print(&signals::list())?),
        Invocation::List(which) => list(&which),
        Invocation::Send { signal, targets } => send(signal, &targets, common),
    }
}

/// Names of numbers, numbers of names.
fn list(which: &[String]) -> Result<(), Fail> {
    for text in which {
        let number = signals::number(text).map_err(Fail::Usage)?;
        let named = text.parse::<i32>().is_ok();
        let line = if named {
            signals::name(number)
        } else {
            number.to_string()
        };
        output::print(&format!("{line}\n"))?;
    }
    Ok(())
}

fn send(signal: i32, whom: &[Whom], common: &Common) -> Result<(), Fail> {
    let mut client = common.connect()?;
    let targets = whom.iter().map(|whom| whom.target()).collect();
    let request = Request::Process(ProcessRequest::Signal { signal, targets });
    let sent = match client.request(request)? {
        Reply::Signalled(sent) if sent.len() == whom.len() => sent,
        other => return Err(client.unexpected(&other).into()),
    };
    let mut all = true;
    for (whom, sent) in whom.iter().zip(&sent) {
        if let Some(why) = why(*whom, sent) {
            eprintln!("{}", output::plain(&format!("ssi kill: ({whom}): {why}")));
            all = false;
        }
    }
    if all { Ok(()) } else { Err(Fail::No) }
}

/// Why a signal was not sent, and what to do.
fn why(whom: Whom, sent: &Signalled) -> Option<String> {
    Some(match sent {
        Signalled::Sent => return None,
        Signalled::NoProcess => {
            let what = if whom.group {
                "process group"
            } else {
                "process"
            };
            let node = whom.pid.node();
            let node = node.map_or_else(String::new, |node| format!(" --node {node}"));
            format!("no such {what}; see: ssi ps -e{node}")
        }
        Signalled::NotPermitted => {
            "not permitted: it is another user's; its owner may, and root".to_owned()
        }
        Signalled::NoNode(why) => format!("{why}; see: ssi cluster"),
        Signalled::Unknown(why) => {
            format!("{why}: whether the signal was sent is not known; see: ssi cluster")
        }
        Signalled::Failed(why) => why.clone(),
    })
}

impl Whom {
    fn target(self) -> Target {
        // A pid has 22 bits.
        let pid = self.pid.pid().cast_signed();
        Target {
            node: self.pid.node(),
            pid: if self.group { -pid } else { pid },
            start: None,
        }
    }
}

impl fmt::Display for Whom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.group { "-" } else { "" };
        match self.pid {
            Pid::Here(pid) => write!(f, "{sign}{pid}"),
            Pid::At(cpid) => write!(f, "{}/{sign}{}", cpid.node(), cpid.pid()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said() {
        let whom = |text: &str, group| Whom {
            pid: text.parse().expect("a process"),
            group,
        };
        let there = whom("2/1234", false);
        assert_eq!(why(there, &Signalled::Sent), None);
        assert_eq!(
            why(there, &Signalled::NoProcess).as_deref(),
            Some("no such process; see: ssi ps -e --node 2")
        );
        assert_eq!(
            why(whom("7", true), &Signalled::NoProcess).as_deref(),
            Some("no such process group; see: ssi ps -e")
        );
        assert_eq!((there.target().node, there.target().pid), (Some(2), 1234));
        let group = whom("8389842", true);
        assert_eq!((group.target().node, group.target().pid), (Some(2), -1234));
        assert_eq!(group.to_string(), "2/-1234");
    }
}
