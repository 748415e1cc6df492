//! Asking before what can't be taken back.

use std::io::{self, BufRead, IsTerminal};

use clap::Args;

use crate::fail::Fail;

/// The option of all commands that ask.
#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct Consent {
    /// Don't say what will happen, don't ask; without a terminal nobody is asked anyway
    #[arg(short, long)]
    yes: bool,
}

impl Consent {
    /// Says what is going to happen and, on a terminal, asks whether it shall; with
    /// `--yes` neither.
    ///
    /// # Errors
    /// If it shall not.
    pub(crate) fn ask(self, what: &str) -> Result<(), Fail> {
        if self.yes {
            return Ok(());
        }
        eprintln!("{what}");
        let (stdin, stderr) = (io::stdin(), io::stderr());
        if !stdin.is_terminal() || !stderr.is_terminal() {
            return Ok(());
        }
        eprint!("Go on? [y/N] ");
        let mut line = String::new();
        stdin
            .lock()
            .read_line(&mut line)
            .map_err(|e| Fail::Failed(format!("cannot read the answer: {e}")))?;
        if is_yes(&line) {
            Ok(())
        } else {
            Err(Fail::Failed("nothing was changed".to_owned()))
        }
    }
}

fn is_yes(line: &str) -> bool {
    matches!(line.trim().to_lowercase().as_str(), "y" | "yes")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_yes_is_yes() {
        assert!(is_yes("Y\n") && is_yes(" yes \n"));
        for no in ["", "\n", "n\n", "yesterday\n", "y y\n"] {
            assert!(!is_yes(no), "{no:?}");
        }
    }
}
