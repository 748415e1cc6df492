//! Completions and the manual page, made from the command line's own description.

use std::io;

use clap::CommandFactory;
use clap_complete::Shell;
use clap_mangen::Man;

use crate::args::{Args, Generated};
use crate::fail::Fail;
use crate::lvs;
use crate::output;

/// Prints `what`.
pub(crate) fn generate(what: Generated) -> Result<(), Fail> {
    match what {
        Generated::Man => Ok(output::print(&manual()?)?),
        Generated::Bash => completion(Shell::Bash),
        Generated::Zsh => completion(Shell::Zsh),
        Generated::Fish => completion(Shell::Fish),
    }
}

/// Prints the completions for `shell`.
pub(crate) fn completion(shell: Shell) -> Result<(), Fail> {
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut Args::command(), "ssi", &mut text);
    Ok(output::print(&String::from_utf8_lossy(&text))?)
}

/// `ssi(1)`, with the command line of `ssi lvs`, which clap does not know.
fn manual() -> io::Result<String> {
    let mut page = Vec::new();
    Man::new(Args::command()).manual("ssi").render(&mut page)?;
    let mut page = String::from_utf8_lossy(&page).into_owned();
    page.push_str(".SH \"SSI LVS\"\n.nf\n");
    for line in lvs::HELP.lines().skip(2) {
        let line = line.replace('\\', "\\\\").replace('-', "\\-");
        // A line that starts with a dot or a quote would be a request to troff.
        if line.starts_with(['.', '\'']) {
            page.push_str("\\&");
        }
        page.push_str(&line);
        page.push('\n');
    }
    page.push_str(".fi\n");
    Ok(page)
}
