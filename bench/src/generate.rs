//! The manual page and the completions, made from the command line's own description.

use std::io;

use anyhow::Result;
use clap::CommandFactory as _;
use clap_complete::Shell;

use crate::args::{Args, Generated};

/// Prints `what`.
pub(crate) fn generate(what: Generated) -> Result<()> {
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
    clap_complete::generate(shell, &mut command, "ssi-bench", &mut io::stdout());
    Ok(())
}
