//! `ssi shell`: a shell in which `/proc` is the cluster's, and system calls on clusterwide
//! numbers of processes act on the right node.
//!
//! The shell has mounts of its own ([`place`]), and a filter that hands calls which no kernel of
//! one machine could answer ([`filter`]) to this process ([`listener`]), which stays beside it
//! ([`watch`]) and asks `ssid` on behalf of whoever called ([`answer`], [`caller`]).

mod answer;
mod call;
mod caller;
mod child;
mod filter;
mod listener;
mod place;
mod watch;

use std::ffi::OsString;
use std::path::Path;
use std::process::{Command, ExitCode};
use std::sync::Arc;

use answer::Answers;
use child::End;
use clap::Args;
use nix::unistd::Pid;
use place::Place;
use ssi_api::cluster::ClusterRequest;
use ssi_api::control::Request;

use crate::args::Common;
use crate::fail::Fail;
use crate::output;

/// Statuses that are not the command's, as those of `ssi run`.
const FAILED: u8 = 125;
const NOT_EXECUTABLE: u8 = 126;
const NOT_FOUND: u8 = 127;

/// A shell in which /proc is the cluster's
///
/// In it, ps, top, pgrep, pidof and whatever else reads /proc see the processes of all nodes:
/// those of this node by their pids, all others by their clusterwide numbers (ssi ps -o cpid).
/// kill and renice on these act on their nodes. /proc/node is this node's own /proc.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  ssi shell                       a shell ($SHELL, or /bin/sh)
  ssi shell top                   top, of the cluster
  ssi shell -c 'kill $(pidof -s httpd)'
                                  a line of shell

Whose processes you may signal, change and read is for each process's node to say, as if you
were there. Without root, the shell is in a user namespace: files of other users are shown as
nobody's, and sudo does not work in it.

The environment has SSI_SHELL=1.

Exit status: the command's; 125 if there can be no such shell, and nothing was run, 126 if the
command cannot be executed, 127 if there is none.")]
pub(crate) struct Options {
    /// Have the shell do this line
    #[arg(short = 'c', value_name = "LINE", conflicts_with = "command")]
    line: Option<OsString>,
    /// Run this instead of a shell
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    command: Vec<OsString>,
}

/// Runs it.
pub(crate) fn run(options: &Options, common: &Common) -> Result<(), Fail> {
    let status = match shell(options, common) {
        Ok(End::Exit(status)) => status,
        Ok(End::Signal(signal)) => {
            // Only if there is no such death.
            let _ = child::die_by(signal);
            128 + signal as i32
        }
        Err((status, why)) => {
            eprintln!("ssi shell: {}", output::plain(&why));
            status.into()
        }
    };
    let status = u8::try_from(status & 0xff).unwrap_or(FAILED);
    Err(Fail::Status(ExitCode::from(status)))
}

fn shell(options: &Options, common: &Common) -> Result<End, (u8, String)> {
    let mut command = options.command();
    command.env("SSI_SHELL", "1");
    if place::is_inside() {
        return Err(not_run(&child::become_it(&mut command)));
    }
    let failed = |why: &dyn ToString| (FAILED, why.to_string());
    let asked = common.connect().and_then(|mut ssid| {
        let show = Request::Cluster(ClusterRequest::Show);
        ssid.request(show).map(drop)
    });
    asked.map_err(|error| failed(&error))?;
    let directory = common.socket.parent().unwrap_or(Path::new("/run/ssi"));
    let native = place::native().map_err(|error| failed(&error))?;
    let for_others = place::is_root();
    let place = Place::enter(directory).map_err(|not| failed(&not))?;
    let (signals, mask) = child::signals().map_err(|error| failed(&error))?;
    let (listener, child) = child::start(&mut command, mask).map_err(|not| not_run(&not))?;
    let answers = Arc::new(Answers {
        listener,
        common: common.clone(),
        native,
        for_others,
    });
    let shell = Pid::from_raw(child.id().cast_signed());
    watch::watch(shell, &signals, &place, &answers).map_err(|error| failed(&error))
}

fn not_run(not: &child::Not) -> (u8, String) {
    let status = match not {
        child::Not::Run(_, error) if error.kind() == std::io::ErrorKind::NotFound => NOT_FOUND,
        child::Not::Run(..) => NOT_EXECUTABLE,
        _ => FAILED,
    };
    (status, not.to_string())
}

impl Options {
    fn command(&self) -> Command {
        if let Some((program, args)) = self.command.split_first() {
            let mut command = Command::new(program);
            command.args(args);
            return command;
        }
        let shell = std::env::var_os("SHELL").filter(|shell| !shell.is_empty());
        let mut command = Command::new(shell.unwrap_or_else(|| "/bin/sh".into()));
        if let Some(line) = &self.line {
            command.arg("-c").arg(line);
        }
        command
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::alias::words;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        options: Options,
    }

    fn said(line: &str) -> Vec<String> {
        let line = Line::try_parse_from(words(line)).expect("a command line");
        let command = line.options.command();
        let all = [command.get_program()]
            .into_iter()
            .chain(command.get_args());
        all.map(|word| word.display().to_string()).collect()
    }

    #[test]
    fn what_is_run() {
        assert_eq!(said("shell ps -ef -c x"), ["ps", "-ef", "-c", "x"]);
        assert_eq!(said("shell -- -x"), ["-x"]);
        let line = said("shell -c true");
        assert_eq!(&line[1..], ["-c", "true"]);
        assert_eq!(said("shell").len(), 1);
        assert!(Line::try_parse_from(words("shell -c x y")).is_err());
    }
}
