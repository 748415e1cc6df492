//! The program itself: its names, its exit status, what goes to which output.

mod files;
mod names;
mod status;

use std::path::Path;
use std::process::{Command, Output};

/// The program.
const SSI: &str = env!("CARGO_BIN_EXE_ssi");

/// Runs `program`, where no `ssid` is.
fn run(program: &Path, args: &[&str]) -> Output {
    Command::new(program)
        .args(args)
        .env("SSI_SOCKET", "/nonexistent/ssid.sock")
        .output()
        .unwrap()
}

/// Its exit status, standard output and standard error.
fn said(output: &Output) -> (i32, String, String) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (
        output.status.code().unwrap(),
        text(&output.stdout),
        text(&output.stderr),
    )
}
