//! Completions and manual pages, made from the command line's own description.

use std::io;

use clap::{Args as ClapArgs, Command, CommandFactory, ValueEnum};
use clap_complete::Shell;
use clap_mangen::Man;

use crate::args::Args;
use crate::fail::Fail;
use crate::kill;
use crate::lvs;
use crate::output;
use crate::pgrep;
use crate::ps;
use crate::renice;
use crate::tradition::spawndaemon;

/// Options for `make install`, which nobody else needs.
#[derive(Clone, Debug, ClapArgs)]
pub(crate) struct Generate {
    /// Print the manual page or a shell's completions
    #[arg(id = "generate", long = "generate", hide = true, value_enum)]
    pub(crate) what: Option<Generated>,
    /// Of this command: its page, ssi-COMMAND(1), or the completions of its name
    #[arg(long, hide = true, requires = "generate", value_name = "COMMAND")]
    pub(crate) of: Option<String>,
}

/// What `--generate` can print.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Generated {
    Man,
    /// The commands that have a page of their own, one a line.
    Pages,
    Bash,
    Zsh,
    Fish,
}

/// Prints `what`, of a command or of ssi itself.
pub(crate) fn generate(what: Generated, of: Option<&str>) -> Result<(), Fail> {
    match what {
        Generated::Man => Ok(output::print(&page(of)?)?),
        Generated::Pages => Ok(output::print(&(pages().join("\n") + "\n"))?),
        Generated::Bash => completion(Shell::Bash, of),
        Generated::Zsh => completion(Shell::Zsh, of),
        Generated::Fish => completion(Shell::Fish, of),
    }
}

/// Prints the completions for `shell`, of ssi or of a command that has a name of its own.
pub(crate) fn completion(shell: Shell, of: Option<&str>) -> Result<(), Fail> {
    let mut text = Vec::new();
    match of {
        None => clap_complete::generate(shell, &mut Args::command(), "ssi", &mut text),
        Some(name) => {
            let mut alone = command(name)?.bin_name(name);
            clap_complete::generate(shell, &mut alone, name, &mut text);
        }
    }
    Ok(output::print(&String::from_utf8_lossy(&text))?)
}

/// The commands that have a page of their own.
fn pages() -> Vec<String> {
    Args::command()
        .get_subcommands()
        .map(|command| command.get_name().to_owned())
        .collect()
}

fn page(of: Option<&str>) -> Result<String, Fail> {
    match of {
        None => Ok(rendered(Args::command().disable_help_subcommand(true))?),
        Some("lvs") => verbatim_page("lvs", lvs::HELP),
        Some("ps") => verbatim_page("ps", ps::HELP),
        Some("kill") => verbatim_page("kill", kill::HELP),
        Some("pgrep") => verbatim_page("pgrep", pgrep::PGREP),
        Some("pkill") => verbatim_page("pkill", pgrep::PKILL),
        Some("spawndaemon") => verbatim_page("spawndaemon", spawndaemon::HELP),
        Some(name @ ("renice" | "nice")) => verbatim_page(name, renice::HELP),
        Some(name) if ssi_remote::named(name).is_some() => {
            verbatim_page(name, ssi_remote::help(name))
        }
        Some(name) => Ok(rendered(command(name)?)?),
    }
}

/// The page of a command whose command line is its own affair.
fn verbatim_page(name: &str, help: &str) -> Result<String, Fail> {
    let mut page = rendered(command(name)?.after_long_help(None::<&str>))?;
    page.push_str(&verbatim("COMMAND LINE", help));
    Ok(page)
}

/// A command as it is below ssi: with the options of all commands.
fn command(name: &str) -> Result<Command, Fail> {
    let mut ssi = Args::command().disable_help_subcommand(true);
    ssi.build();
    ssi.find_subcommand(name)
        .cloned()
        .ok_or_else(|| Fail::Usage(format!("there is no command {name}; see: ssi --help")))
}

fn rendered(command: Command) -> io::Result<String> {
    let mut page = Vec::new();
    Man::new(command).manual("ssi").render(&mut page)?;
    let page = String::from_utf8_lossy(&page);
    Ok(page.replacen("\n.SH EXTRA\n", "\n.SH \"EXAMPLES AND EXIT STATUS\"\n", 1))
}

/// A section of a page that stands as it is written.
fn verbatim(title: &str, text: &str) -> String {
    let mut section = format!(".SH \"{title}\"\n.nf\n");
    for line in text.lines().skip(2) {
        let line = line.replace('\\', "\\\\").replace('-', "\\-");
        // A line that starts with a dot or a quote would be a request to troff.
        if line.starts_with(['.', '\'']) {
            section.push_str("\\&");
        }
        section.push_str(&line);
        section.push('\n');
    }
    section.push_str(".fi\n");
    section
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_has_a_page() {
        for name in pages() {
            let text = page(Some(&name)).unwrap();
            let dashed = format!("ssi\\-{}", name.replace('_', "\\_"));
            assert!(
                text.contains(&dashed) || text.contains(&format!("ssi\\-{name}")),
                "{name}: {text}"
            );
            assert!(text.contains(".SH NAME"), "{name}");
            assert!(text.contains("Exit status"), "{name}: {text}");
        }
        let ssi = page(None).unwrap();
        assert!(ssi.contains("ssi\\-cluster(1)") && !ssi.contains("help(1)"));
        assert!(ssi.contains(".SH \"EXAMPLES AND EXIT STATUS\"\n"), "{ssi}");
        assert!(page(Some("nonsense")).is_err());
    }

    #[test]
    fn the_pages_are_installed() {
        let script = include_str!("../../../tools/install.sh");
        let names = script.split([' ', '(', ')', '\n']);
        let installed: Vec<_> = names.collect();
        for name in pages() {
            assert!(installed.contains(&name.as_str()), "{name}");
        }
    }
}
