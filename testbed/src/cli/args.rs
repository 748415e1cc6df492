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
#[command(version, after_help = AFTER, arg_required_else_help = true)]
pub(crate) struct Args {
    /// Print the manual page or a shell's completions, for `make install`.
    #[arg(long, hide = true, value_enum, exclusive = true)]
    pub(crate) generate: Option<Generated>,
    #[command(subcommand)]
    pub(crate) verb: Option<Verb>,
}

/// What `--generate` can print.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Generated {
    Man,
    Bash,
    Zsh,
    Fish,
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

Exit status: 0 done, 1 failed, 2 wrong usage; `exec` has the command's own.
ssi-start, ssi-add, ssi-rm, ssi-stop and ssi-console are short for the verbs.";

const AFTER_EXEC: &str = "Examples:
  ssi-testbed exec 2 ssi status
  ssi-testbed exec 1 sh -c 'echo $SSI_NODE >/run/number'
  ssi-testbed exec client curl -s http://10.88.0.100/

The command has this terminal, standard input and output, runs as root in the same working
directory, and dies with this program. ssid and ssi are in its PATH, and so are onnode,
where_pid and the other names of the original's commands. SSI_NODE is the node's number. Exit
status: the command's; 128 + n if signal n killed it; 127 if there is no such command; 1 if
the node is not up.";

const AFTER_FAULT: &str = "Examples:
  ssi-testbed fault loss 2 10                 of what node 2 sends and gets, 10 % is lost
  ssi-testbed fault loss 1:2,3 2.5            of what node 1 sends to nodes 2 and 3, 2.5 %
  ssi-testbed fault partition 1,2 3,4,5       two halves
  ssi-testbed fault cut 1 2 --one-way         what node 1 sends to node 2 does not arrive
  ssi-testbed fault cut 1 client --net ext    node 1 loses its client, not the other nodes
  ssi-testbed fault pause 3                   node 3 stands still, its connections stay
  ssi-testbed fault kill 1 ssid               the daemon dies (and is started again)
  ssi-testbed fault heal

Faults add up until healed. They are on the interconnect (ic0) unless --net says otherwise.";

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Boot nodes 1 to N, and the client.
    Start {
        /// How many nodes.
        #[arg(default_value_t = 3, value_parser = clap::value_parser!(u8).range(1..=i64::from(MOST)))]
        nodes: u8,
        #[command(flatten)]
        booting: Booting,
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
    #[command(after_help = AFTER_EXEC)]
    Exec {
        /// A node's number, or "client".
        machine: Machine,
        /// The command and its arguments.
        #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true)]
        command: Vec<OsString>,
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
    #[command(after_help = AFTER_FAULT)]
    Fault {
        #[command(subcommand)]
        fault: FaultVerb,
    },
    /// Show the running cluster at work: web servers, one address, real requests.
    Show,
}

/// How a cluster is booted.
#[derive(Debug, clap::Args)]
pub(crate) struct Booting {
    /// Where packets enter the BPF programs.
    #[arg(long, value_enum, default_value_t = Mode::Auto)]
    pub(crate) mode: Mode,
    /// MTU of the interconnect, bytes; IPv6 wants 1280.
    #[arg(long, default_value_t = 1500, value_parser = clap::value_parser!(u32).range(1280..=65535))]
    pub(crate) mtu_ic: u32,
    /// Number of the node that founds the cluster, and so directs its address at first.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=i64::from(MOST)))]
    pub(crate) director: u8,
    /// Only machines and networks, without ssid.
    #[arg(long)]
    pub(crate) no_ssid: bool,
    /// What nodes say to each other goes around the network stack: faster, but the faults of
    /// the interconnect then reach only probes and packets, not these connections.
    #[arg(long, conflicts_with = "no_ssid")]
    pub(crate) bypass: bool,
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
    /// A node's disk is full: nothing more has room in its /var.
    Fill {
        /// A node.
        machine: Machine,
    },
    /// There is room again on a node's disk.
    Empty {
        /// A node.
        machine: Machine,
    },
    /// Every fault of the networks and disks is over, and paused nodes go on.
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

impl Mode {
    /// As `ssi.toml` has it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Native => "native",
            Self::Generic => "generic",
            Self::Tc => "tc",
        }
    }
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
        assert!(matches!(args.verb, Some(Verb::Start { nodes: 5, .. })));
        let args = Args::try_parse_from(words("ssi-testbed --generate man")).unwrap();
        assert!(args.generate.is_some());
        assert!(Args::try_parse_from(words("ssi-testbed")).is_err());
        assert!(Args::try_parse_from(words("ssi-start 16")).is_err());
        let args = Args::try_parse_from(words("ssi-testbed exec client curl -s --x y")).unwrap();
        let Some(Verb::Exec {
            machine: Machine::Client,
            command,
        }) = args.verb
        else {
            panic!("{args:?}");
        };
        assert_eq!(command, ["curl", "-s", "--x", "y"]);
    }
}
