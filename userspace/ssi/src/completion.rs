use clap::Args;
use clap_complete::Shell;

use crate::fail::Fail;
use crate::generate;
use crate::help;

/// Completions for a shell, on standard output
#[derive(Debug, Args)]
#[command(after_long_help = help::lesson("\
  ssi completion bash >~/.local/share/bash-completion/completions/ssi"))]
pub(crate) struct Options {
    /// Which shell
    shell: Shell,
}

pub(crate) fn run(options: &Options) -> Result<(), Fail> {
    generate::completion(options.shell, None)
}
