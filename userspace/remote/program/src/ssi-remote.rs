//! `onnode`, `onall`, `onclass`, `fast` and `fastnode`, by these names; `ssi-remote run …` is
//! `ssi run …`.
//!
//! It is a program of its own because half of what a short command on another node costs is the
//! start of programs: this one has nothing in it of the rest of `ssi`, and `make build` links it
//! statically, so that nothing has to be found, mapped and relocated before it begins.

use std::ffi::OsString;
use std::process::ExitCode;

fn main() -> ExitCode {
    let argv: Vec<OsString> = std::env::args_os().collect();
    ssi_remote::program(&argv)
}
