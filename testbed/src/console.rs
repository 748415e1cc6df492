//! Shells on machines: a tmux session with a window each.

use std::io::IsTerminal as _;
use std::process::Command;

use anyhow::{Context as _, Result};
use ssi_testbed::node::TMUX;
use ssi_testbed::plan::Machine;
use ssi_testbed::{exec, state, tool};

const SESSION: &str = "cluster";

/// A shell on a machine. In a terminal, in its tmux window; without tmux, or within
/// another tmux, right here.
pub(crate) fn open(machine: Machine) -> Result<i32> {
    state::running()?
        .init_of(machine)
        .with_context(|| format!("{machine} is not up; `ssi-testbed status` shows who is"))?;
    let here = !std::io::stdin().is_terminal() || std::env::var_os("TMUX").is_some();
    if here || !tool::succeeds("tmux", &["-V"]) {
        return exec::run(machine, &[shell()]);
    }
    let own = std::env::current_exe()?;
    let own = own.to_str().context("a path of plain text")?;
    let word = match machine {
        Machine::Node(number) => number.to_string(),
        Machine::Client => "client".to_owned(),
    };
    let name = machine.name();
    let command = format!("'{own}' exec {word} {}", shell());
    if !tool::succeeds("tmux", &["-L", TMUX, "has-session", "-t", SESSION]) {
        tool::run(
            "tmux",
            &[
                "-L",
                TMUX,
                "new-session",
                "-d",
                "-s",
                SESSION,
                "-n",
                &name,
                &command,
            ],
        )?;
    } else if !tool::succeeds(
        "tmux",
        &[
            "-L",
            TMUX,
            "select-window",
            "-t",
            &format!("{SESSION}:{name}"),
        ],
    ) {
        tool::run(
            "tmux",
            &[
                "-L",
                TMUX,
                "new-window",
                "-t",
                SESSION,
                "-n",
                &name,
                &command,
            ],
        )?;
    }
    let status = Command::new("tmux")
        .args(["-L", TMUX, "attach", "-t", SESSION])
        .status()?;
    Ok(status.code().unwrap_or(0))
}

fn shell() -> String {
    std::env::var("SHELL").unwrap_or_else(|_| "/bin/sh".to_owned())
}
