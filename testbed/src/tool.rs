//! Other programs that do their job well: `ip`, `nft`, `tc`, `tmux`.

use std::io::Write as _;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};

/// Runs a program to its end and returns what it printed.
///
/// # Errors
/// It is missing, or it failed; the error has what it said.
pub fn run(program: &str, arguments: &[&str]) -> Result<String> {
    feed(program, arguments, "")
}

/// As [`run`], with `input` on its standard input.
///
/// # Errors
/// As [`run`].
pub fn feed(program: &str, arguments: &[&str], input: &str) -> Result<String> {
    let missing = || format!("cannot run {program}; `make toolchain` installs it");
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(missing)?;
    let mut stdin = child.stdin.take().context("it was piped")?;
    // A program that ends early says why in its status.
    let _ = stdin.write_all(input.as_bytes());
    drop(stdin);
    let output = child.wait_with_output()?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        bail!("{program} {}: {}", arguments.join(" "), said.trim());
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Whether a program is there and succeeds, whatever it prints.
#[must_use]
pub fn succeeds(program: &str, arguments: &[&str]) -> bool {
    run(program, arguments).is_ok()
}
