//! The command line, except for what comes after `lvs`, `ps`, `kill` and others, which is
//! ipvsadm's, ps's, kill's and theirs.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args as ClapArgs, Parser};
use ssi_api::control::{Client, ClientError, DEFAULT_SOCKET, socket};

use crate::command::Cmd;
use crate::fail::Fail;
use crate::generate::Generate;
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
  ssi init blue                   found a cluster of this node
  ssi token                       a token for another node to join with
  ssi cluster -w                  the nodes and their states, as they change
  ssi ping 2                      how fast node 2 answers
  ssi ps aux --sort -load         the processes of the cluster
  ssi top                         nodes, loads and processes, again and again
  ssi loads                       how busy the nodes are
  ssi pgrep -a ssh                who runs ssh, on any node
  ssi kill 2/1234                 end process 1234 of node 2
  ssi shell                       a shell in which /proc is the cluster's
  ssi service apply web.toml      keep processes alive, on one node or another
  ssi service list                what is kept alive, and where
  ssi run --node 2 vi notes       a command on another node, as if it ran here
  ssi lvs -L -n                   virtual services and their servers
  ssi -o json status | jq .status.interfaces

Wherever a node is wanted, its number or its name will do.

Called by the name of one of the original's commands (clustername, clusternode_num, …),
ssi is that command; called as ipvsadm (any name that ends so), it is ssi lvs. The names
cluster and ipvsadm, which other packages have too, are in ../lib/ssi/bin, seen from the
directory that ssi is in.

Files:
  /etc/ssi/ssi.toml               configuration of ssid
  /run/ssi/ssid.sock              control socket"
)]
pub(crate) struct Args {
    #[command(flatten)]
    pub(crate) common: Common,
    #[command(flatten)]
    pub(crate) generate: Generate,
    #[command(subcommand)]
    pub(crate) command: Option<Cmd>,
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

impl Common {
    /// The defaults, with the socket that the environment names.
    pub(crate) fn from_env() -> Self {
        Self {
            output: Format::default(),
            socket: socket(),
            wait: 30,
        }
    }

    /// Connects to the daemon.
    pub(crate) fn connect(&self) -> Result<Client, ClientError> {
        self.connect_for(Duration::ZERO)
    }

    /// Connects to the daemon, which may be silent for so much longer.
    pub(crate) fn connect_for(&self, longer: Duration) -> Result<Client, ClientError> {
        Client::connect(&self.socket, Duration::from_secs(self.wait) + longer)
    }
}

/// What clap shall see, and what comes after a command with habits of its own: clap would take some of
/// its options for its own.
pub(crate) fn split(argv: &[OsString]) -> (&[OsString], &[OsString]) {
    let mut at = 1;
    while let Some(arg) = argv.get(at).and_then(|arg| arg.to_str()) {
        match arg {
            "lvs" | "ps" | "kill" | "pgrep" | "pkill" | "renice" | "nice" | "spawndaemon" => {
                return argv.split_at(at + 1);
            }
            name if ssi_remote::named(name).is_some() => return argv.split_at(at + 1),
            "-o" | "--output" | "--socket" | "--wait" => at += 2,
            _ if arg.starts_with('-') => at += 1,
            _ => break,
        }
    }
    (argv, &[])
}

/// The words of a command line that clap does not read.
pub(crate) fn words(args: &[OsString]) -> Result<Vec<&str>, Fail> {
    let strange = |arg: &OsString| Fail::Usage(format!("{} is not UTF-8", arg.display()));
    args.iter()
        .map(|arg| arg.to_str().ok_or_else(|| strange(arg)))
        .collect()
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;
    use crate::alias::words;

    #[test]
    fn the_command_line_is_consistent() {
        Args::command().debug_assert();
    }

    #[test]
    fn every_command_teaches() {
        let mut ssi = Args::command();
        for command in ssi.get_subcommands_mut() {
            let name = command.get_name().to_owned();
            let help = command.render_long_help().to_string();
            assert!(command.get_about().is_some(), "{name}");
            assert!(
                help.contains("Exit status:") || help.contains("Exit status "),
                "{name}: {help}"
            );
            assert!(help.contains(&format!("  ssi {name}")), "{name}: {help}");
        }
    }

    #[test]
    fn what_follows_lvs_is_not_claps() {
        let argv = words("ssi --socket lvs -o json lvs -o -A -u [::1]:53");
        let (head, rest) = split(&argv);
        assert_eq!(head, words("ssi --socket lvs -o json lvs"));
        assert_eq!(rest, words("-o -A -u [::1]:53"));
        let args = Args::try_parse_from(head).unwrap();
        assert_eq!(args.common.output, Format::Json);
        let argv = words("ssi completion lvs");
        assert_eq!(split(&argv).1, words("")[1..].to_vec());
    }
}
