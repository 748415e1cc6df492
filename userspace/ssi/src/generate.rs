//! Completions and manual pages, made from the command line's own description.

use std::fs;
use std::path::Path;

use clap::CommandFactory;
use clap_complete::Shell;

use crate::args::Args;
use crate::fail::Fail;
use crate::output;

/// Prints the completions for `shell`.
pub(crate) fn completion(shell: Shell) -> Result<(), Fail> {
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut Args::command(), "ssi", &mut text);
    Ok(output::print(&String::from_utf8_lossy(&text))?)
}

/// Writes `ssi.1` and a page for each command into `directory`.
pub(crate) fn man(directory: &Path) -> Result<(), Fail> {
    fs::create_dir_all(directory)
        .and_then(|()| clap_mangen::generate_to(Args::command(), directory))
        .map_err(|e| Fail::Failed(format!("cannot write {}: {e}", directory.display())))
}
