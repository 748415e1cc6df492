//! The command line.

use std::ffi::OsString;
use std::path::Path;

use clap::{Parser, Subcommand, ValueEnum};
use ssi_testbed::fault::On;
use ssi_testbed::plan::{MOST, Machine};

/// Boots a whole cluster on this machine, and breaks it.
///
/// A node is a set of namespaces with an init, a host name, and a /var, /run, /tmp and
/// /etc/ssi of its own; all nodes share this machine's root tree. Each runs the real ssid.
/// They have one network between them (ic0, 10.77.0.N and fd77::N) and one to the outside
/// (eth0, 10.88.0.N and fd88::N), where a host "client" (10.88.0.200) waits to be served at
/// the cluster's address, 10.88.0.100.
///
/// Needs root. One cluster at a time. Everything is gone after `stop`.
#[derive(Debug, Parser)]
#[command(version, after_help = AFTER)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) verb: Verb,
}

const AFTER: &str = "Examples:
  ssi-testbed start 5                         boot five nodes
  ssi-testbed exec 2 ssi status               a command on node 2
  ssi-testbed exec client curl 10.88.0.100    be a client
  ssi-testbed rm 3                            node 3 crashes: nobody is told
  ssi-testbed fault loss 2 10                 node 2 loses a tenth of what it sends and gets
  ssi-testbed fault cut 1 2 --one-way         what node 1 sends to node 2 does not arrive
  ssi-testbed fault heal                      all faults are over
  ssi-testbed stop

Exit status: 0 done, 1 failed, 2 wrong usage; `exec` has the command's own.";

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Boot nodes 1 to N, and the client.
    Start {
        /// How many nodes.
        #[arg(default_value_t = 3, value_parser = clap::value_parser!(u8).range(1..=i64::from(MOST)))]
        nodes: u8,
        /// Where packets enter the BPF programs.
        #[arg(long, value_enum, default_value_t = Mode::Auto)]
        mode: Mode,
        /// MTU of the interconnect, bytes.
        #[arg(long, default_value_t = 1500, value_parser = clap::value_parser!(u32).range(576..=65535))]
        mtu_ic: u32,
        /// Number of the node that directs the cluster's address.
        #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=i64::from(MOST)))]
        director: u8,
        /// Only machines and networks, without ssid.
        #[arg(long)]
        no_ssid: bool,
    },
    /// Boot more nodes; those that are up are left alone.
    Add {
        /// Their numbers, 1 to 15.
        #[arg(required = true)]
        nodes: Vec<u8>,
    },
    /// Crash nodes: everything of theirs vanishes at once, and nobody is told.
    Rm {
        /// Their numbers.
        #[arg(required = true)]
        nodes: Vec<u8>,
    },
    /// End the cluster, and remove whatever a killed one left.
    Stop,
    /// Run a command on a node, or on the client; its exit status is kept.
    Exec {
        /// A node's number, or "client".
        machine: Machine,
        /// The command and its arguments.
        #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true)]
        command: Vec<String>,
    },
    /// A shell on a node, in a tmux window of its own.
    Console {
        /// A node's number, or "client".
        #[arg(default_value = "1")]
        machine: Machine,
    },
    /// What is running.
    Status {
        /// How to print it.
        #[arg(short, long, value_enum, default_value_t = Output::Table)]
        output: Output,
    },
    /// Console logs.
    Logs {
        /// A node's number, or "client"; all nodes if left out.
        machine: Option<Machine>,
        /// Go on as they grow.
        #[arg(short, long)]
        follow: bool,
    },
    /// Break something, or mend it.
    Fault {
        #[command(subcommand)]
        fault: FaultVerb,
    },
    /// Show the running cluster at work: web servers, one address, real requests.
    Show,
}

#[derive(Debug, Subcommand)]
pub(crate) enum FaultVerb {
    /// Frames are lost: of a node, both ways, or from one to another (A:B).
    Loss {
        /// NODE, or FROM:TO.
        between: String,
        /// Of a hundred frames; up to two decimals.
        percent: f64,
        #[command(flatten)]
        on: Where,
    },
    /// Two groups of nodes don't hear of each other: `partition 1,2 3`.
    Partition {
        /// Numbers, separated by commas.
        one: String,
        /// Numbers, separated by commas.
        other: String,
        /// Only what the first group sends to the second is lost.
        #[arg(long)]
        one_way: bool,
        #[command(flatten)]
        on: Where,
    },
    /// Two nodes don't hear of each other.
    Cut {
        /// A node.
        one: Machine,
        /// Another.
        other: Machine,
        /// Only what the first sends to the second is lost.
        #[arg(long)]
        one_way: bool,
        #[command(flatten)]
        on: Where,
    },
    /// What a node receives comes late, where the kernel can do that.
    Delay {
        /// A node.
        machine: Machine,
        /// How late.
        milliseconds: u32,
        #[command(flatten)]
        on: Where,
    },
    /// All processes of a node stop where they are.
    Pause {
        /// A node.
        machine: Machine,
    },
    /// They go on.
    Resume {
        /// A node.
        machine: Machine,
    },
    /// Kill the processes of a node that have this name, with signal 9.
    Kill {
        /// A node.
        machine: Machine,
        /// As `ps -o comm` shows it.
        process: String,
    },
    /// Every fault of the networks is over, and paused nodes go on.
    Heal,
    /// The faults in force.
    List,
}

/// On which network.
#[derive(Debug, clap::Args)]
pub(crate) struct Where {
    /// On the interconnect, the external network, or both.
    #[arg(long = "net", value_enum, default_value_t = On::Ic)]
    pub(crate) on: On,
}

/// Where packets enter the BPF programs.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Mode {
    /// What suits the interface: tc here.
    Auto,
    /// Native XDP.
    Native,
    /// Generic XDP.
    Generic,
    /// tc.
    Tc,
}

/// How to print.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Output {
    /// For people.
    Table,
    /// For programs.
    Json,
}

/// `ssi-start 3` is `ssi-testbed start 3`, and so on.
pub(crate) fn by_name(args: impl Iterator<Item = OsString>) -> Vec<OsString> {
    let mut args: Vec<_> = args.collect();
    let name = args
        .first()
        .and_then(|arg| Path::new(arg).file_name()?.to_str());
    let verb = match name {
        Some("ssi-start") => "start",
        Some("ssi-add") => "add",
        Some("ssi-rm") => "rm",
        Some("ssi-stop") => "stop",
        Some("ssi-console") => "console",
        _ => return args,
    };
    args.insert(1, verb.into());
    args
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_grammar_is_sound_and_names_are_verbs() {
        Args::command().debug_assert();
        let words = |line: &str| by_name(line.split(' ').map(OsString::from));
        let args = Args::try_parse_from(words("/usr/bin/ssi-start 5")).unwrap();
        assert!(matches!(args.verb, Verb::Start { nodes: 5, .. }));
        assert!(Args::try_parse_from(words("ssi-start 16")).is_err());
        let args = Args::try_parse_from(words("ssi-testbed exec client curl -s --x y")).unwrap();
        let Verb::Exec {
            machine: Machine::Client,
            command,
        } = args.verb
        else {
            panic!("{args:?}");
        };
        assert_eq!(command, ["curl", "-s", "--x", "y"]);
    }
}
