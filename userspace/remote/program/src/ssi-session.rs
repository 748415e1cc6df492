//! `ssi-session`: has a command of another node's user. The daemon starts it; it is of no use
//! to people.

use std::process::ExitCode;

fn main() -> ExitCode {
    ssi_rexec::runner::session()
}
