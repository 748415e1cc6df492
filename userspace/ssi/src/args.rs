//! The command line, except for what comes after `lvs`, which is ipvsadm's.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Args as ClapArgs, Parser, Subcommand, ValueEnum};
use ssi_api::control::{Client, ClientError, DEFAULT_SOCKET};

use crate::output::Format;

/// Many Linux machines, one system
///
/// ssi asks the node daemon, ssid, over its control socket; who may use the socket (root,
/// and members of the group ssi) may use ssi.
#[derive(Debug, Parser)]
#[command(
    name = "ssi",
    version,
    arg_required_else_help = true,
    max_term_width = 100,
    after_long_help = "\
Exit status:
  0  done
  1  failed; nothing was changed
  2  the command line makes no sense
  3  ssid cannot be reached

Examples:
  ssi status                      the node, its interfaces, what was dropped and why
  ssi doctor                      what this kernel offers, and what is missing
  ssi lvs -L -n                   virtual services and their servers
  ssi lvs -L -n -o json           the same for programs
  ssi -o json status | jq .status.interfaces

Files:
  /etc/ssi/ssi.toml               configuration of ssid
  /run/ssi/ssid.sock              control socket"
)]
pub(crate) struct Args {
    #[command(flatten)]
    pub(crate) common: Common,
    /// Print the manual page or a shell's completions, for `make install`
    #[arg(long, hide = true, exclusive = true, value_enum)]
    pub(crate) generate: Option<Generated>,
    #[command(subcommand)]
    pub(crate) command: Option<Cmd>,
}

/// What `--generate` can print.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Generated {
    Man,
    Bash,
    Zsh,
    Fish,
}

/// Options of every command.
#[derive(Clone, Debug, ClapArgs)]
pub(crate) struct Common {
    /// How to print
    #[arg(
        short,
        long,
        global = true,
        value_enum,
        default_value_t,
        value_name = "FORMAT"
    )]
    pub(crate) output: Format,
    /// Control socket of ssid
    #[arg(long, global = true, env = "SSI_SOCKET", default_value = DEFAULT_SOCKET, value_name = "PATH")]
    pub(crate) socket: PathBuf,
    /// How long ssid may be silent before we give up
    #[arg(long, global = true, default_value_t = 30, value_name = "SECONDS",
          value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub(crate) wait: u64,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Cmd {
    /// This node: version, interfaces, virtual addresses, what was dropped and why
    Status,
    /// What this kernel offers: feature, working mode, what is missing, why it matters
    ///
    /// Works without ssid too (as root).
    Doctor,
    /// Virtual services and real servers, in the syntax of ipvsadm
    ///
    /// Called as ipvsadm (any name that ends so), ssi is this command.
    #[command(disable_help_flag = true, after_long_help = crate::lvs::HELP)]
    Lvs {
        /// See `ssi lvs --help`
        #[arg(
            trailing_var_arg = true,
            allow_hyphen_values = true,
            value_name = "IPVSADM-OPTIONS"
        )]
        args: Vec<OsString>,
    },
    /// Completions for a shell, on standard output
    Completion {
        /// Which shell
        shell: clap_complete::Shell,
    },
}

impl Cmd {
    /// Its name, for messages.
    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Self::Status => "ssi status",
            Self::Doctor => "ssi doctor",
            Self::Lvs { .. } => "ssi lvs",
            Self::Completion { .. } => "ssi completion",
        }
    }
}

impl Common {
    /// The defaults, with the socket that the environment names.
    pub(crate) fn from_env() -> Self {
        let socket = std::env::var_os("SSI_SOCKET")
            .filter(|path| !path.is_empty())
            .unwrap_or_else(|| DEFAULT_SOCKET.into());
        Self {
            output: Format::default(),
            socket: socket.into(),
            wait: 30,
        }
    }

    /// Connects to the daemon.
    pub(crate) fn connect(&self) -> Result<Client, ClientError> {
        Client::connect(&self.socket, Duration::from_secs(self.wait))
    }
}

/// The name we were called by and the arguments, if that name makes us `ssi lvs`.
pub(crate) fn alias(argv: &[OsString]) -> Option<(String, &[OsString])> {
    let (name, rest) = argv.split_first()?;
    let name = Path::new(name).file_name()?.to_str()?;
    name.ends_with("ipvsadm").then(|| (name.to_owned(), rest))
}

/// What clap shall see, and what comes after `lvs`: clap would take some of ipvsadm's
/// options for its own.
pub(crate) fn split_lvs(argv: &[OsString]) -> (&[OsString], &[OsString]) {
    let mut at = 1;
    while let Some(arg) = argv.get(at).and_then(|arg| arg.to_str()) {
        match arg {
            "lvs" => return argv.split_at(at + 1),
            "-o" | "--output" | "--socket" | "--wait" => at += 2,
            _ if arg.starts_with('-') => at += 1,
            _ => break,
        }
    }
    (argv, &[])
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    fn words(line: &str) -> Vec<OsString> {
        line.split(' ').map(OsString::from).collect()
    }

    #[test]
    fn the_command_line_is_consistent() {
        Args::command().debug_assert();
    }

    #[test]
    fn what_follows_lvs_is_not_claps() {
        let argv = words("ssi --socket lvs -o json lvs -o -A -u [::1]:53");
        let (head, rest) = split_lvs(&argv);
        assert_eq!(head, words("ssi --socket lvs -o json lvs"));
        assert_eq!(rest, words("-o -A -u [::1]:53"));
        let args = Args::try_parse_from(head).unwrap();
        assert_eq!(args.common.output, Format::Json);
        let argv = words("ssi completion lvs");
        assert_eq!(split_lvs(&argv).1, words("")[1..].to_vec());
    }

    #[test]
    fn the_traditional_name() {
        assert!(alias(&words("/sbin/ssi-ipvsadm -L")).is_some());
        assert_eq!(alias(&words("ipvsadm -L")).unwrap().0, "ipvsadm");
        assert!(alias(&words("/usr/bin/ssi lvs")).is_none());
        assert!(alias(&[]).is_none());
    }
}
