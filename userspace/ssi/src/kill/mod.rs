//! `ssi kill`: signals to processes of the cluster, with the habits of kill.

mod grammar;
mod help;

use std::ffi::OsString;
use std::fmt;

use grammar::{Invocation, Kind, Whom};
use ssi_api::process::{Pid, Signalled, Target};

use crate::args::{Common, words};
use crate::fail::Fail;
use crate::output;
use crate::process::{self, signals};

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
    let mut all = true;
    for sessions in [false, true] {
        let these = whom.iter().filter(|whom| whom.is_session() == sessions);
        let targets: Vec<_> = these.clone().map(|whom| whom.target()).collect();
        if targets.is_empty() {
            continue;
        }
        let sent = process::send(&mut client, signal, targets, sessions)?;
        for (whom, sent) in these.zip(&sent) {
            if let Some(why) = whom.why(sent) {
                eprintln!("{}", output::plain(&format!("ssi kill: ({whom}): {why}")));
                all = false;
            }
        }
    }
    if all { Ok(()) } else { Err(Fail::No) }
}

impl Whom {
    /// Why it got no signal.
    fn why(self, sent: &Signalled) -> Option<String> {
        let what = match self.kind {
            Kind::Process => "process",
            Kind::Group => "process group",
            Kind::Session => "session",
        };
        process::why(what, self.pid.node(), sent)
    }

    fn is_session(self) -> bool {
        self.kind == Kind::Session
    }

    fn target(self) -> Target {
        // A pid has 22 bits.
        let pid = self.pid.pid().cast_signed();
        Target {
            node: self.pid.node(),
            pid: if self.kind == Kind::Group { -pid } else { pid },
            start: None,
        }
    }
}

impl fmt::Display for Whom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (before, sign) = match self.kind {
            Kind::Process => ("", ""),
            Kind::Group => ("", "-"),
            Kind::Session => ("session ", ""),
        };
        match self.pid {
            Pid::Here(pid) => write!(f, "{before}{sign}{pid}"),
            Pid::At(cpid) => write!(f, "{before}{}/{sign}{}", cpid.node(), cpid.pid()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said() {
        let whom = |text: &str, kind| Whom {
            pid: text.parse().expect("a process"),
            kind,
        };
        let there = whom("2/1234", Kind::Process);
        assert_eq!(there.why(&Signalled::Sent), None);
        assert_eq!(
            there.why(&Signalled::NoProcess).as_deref(),
            Some("no such process; see: ssi ps -e --node 2")
        );
        assert_eq!(
            whom("7", Kind::Group).why(&Signalled::NoProcess).as_deref(),
            Some("no such process group; see: ssi ps -e")
        );
        assert_eq!((there.target().node, there.target().pid), (Some(2), 1234));
        let group = whom("8389842", Kind::Group);
        assert_eq!((group.target().node, group.target().pid), (Some(2), -1234));
        assert_eq!(group.to_string(), "2/-1234");
        let session = whom("8389842", Kind::Session);
        assert_eq!(
            (session.target().node, session.target().pid),
            (Some(2), 1234)
        );
        assert_eq!(session.to_string(), "session 2/1234");
        assert_eq!(
            session.why(&Signalled::NoProcess).as_deref(),
            Some("no such session; see: ssi ps -e --node 2")
        );
    }
}
