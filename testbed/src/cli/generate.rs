//! The manual page and the completions, made from the command line's own description.

use std::io;

use anyhow::Result;
use clap::CommandFactory as _;
use clap_complete::Shell;

use super::args::{Args, Generated};

/// Prints `what`.
pub(super) fn generate(what: Generated) -> Result<()> {
    let mut command = Args::command();
    let shell = match what {
        Generated::Man => {
            let page = clap_mangen::Man::new(command).manual("ssi").section("1");
            return Ok(page.render(&mut io::stdout())?);
        }
        Generated::Bash => Shell::Bash,
        Generated::Zsh => Shell::Zsh,
        Generated::Fish => Shell::Fish,
    };
    clap_complete::generate(shell, &mut command, "ssi-testbed", &mut io::stdout());
    Ok(())
}
