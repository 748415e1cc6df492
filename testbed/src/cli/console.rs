//! Shells on machines: a tmux session with a window for each.

use std::io::IsTerminal as _;
use std::process::Command;

use anyhow::{Context as _, Result};
use ssi_testbed::leftovers::TMUX;
use ssi_testbed::plan::Machine;
use ssi_testbed::state::{self, State};
use ssi_testbed::{exec, tool};

const SESSION: &str = "cluster";

/// A shell on a machine: in a terminal, its tmux window, besides which are those of the
/// others; without tmux, without a terminal, or within another tmux, right here.
pub(super) fn open(machine: Machine) -> Result<i32> {
    let state = state::running()?;
    state
        .init_of(machine)
        .with_context(|| format!("{machine} is not up; `ssi-testbed status` shows who is"))?;
    let terminal = std::io::stdin().is_terminal() && std::io::stdout().is_terminal();
    if !terminal || std::env::var_os("TMUX").is_some() || !tool::succeeds("tmux", &["-V"]) {
        return exec::run(machine, &[shell().into()]);
    }
    open_windows(&state)?;
    let window = format!("{SESSION}:={}", machine.name());
    tmux(&["select-window", "-t", &window])?;
    let status = Command::new("tmux")
        .args(["-L", TMUX, "attach", "-t", SESSION])
        .status()?;
    Ok(status.code().unwrap_or(1))
}

/// A window for every machine that is up and has none.
fn open_windows(state: &State) -> Result<()> {
    let there = tmux(&["list-windows", "-t", SESSION, "-F", "#{window_name}"]);
    let mut session = there.is_ok();
    let there = there.unwrap_or_default();
    let own = std::env::current_exe()?;
    let own = own.to_str().context("a path of plain text")?;
    for machine in state.nodes().chain([Machine::Client]) {
        let name = machine.name();
        if there.lines().any(|line| line == name) {
            continue;
        }
        let (word, shell) = (machine.word(), shell());
        let how: &[&str] = if session {
            &["new-window", "-d", "-t", SESSION]
        } else {
            &["new-session", "-d", "-s", SESSION]
        };
        let what = ["-n", &name, own, "exec", &word, &shell];
        tmux(&[how, &what].concat())?;
        session = true;
    }
    Ok(())
}

fn tmux(arguments: &[&str]) -> Result<String> {
    tool::run("tmux", &[&["-L", TMUX], arguments].concat())
}

fn shell() -> String {
    std::env::var("SHELL").unwrap_or_else(|_| "/bin/sh".to_owned())
}
