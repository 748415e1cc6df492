//! The command line.

use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};

/// Measures ssi against the best there is, on this machine.
///
/// Everything that is compared is measured in one run, in turns, because a machine is never
/// twice the same: look at the ratios. `best` is the best sample of all rounds, `median` the
/// median.
///
/// Needs root, and for steady figures a machine that does nothing else.
#[derive(Debug, Parser)]
#[command(version, arg_required_else_help = true)]
pub(crate) struct Args {
    /// Print the manual page or a shell's completions, for `make install`.
    #[arg(long, hide = true, value_enum, exclusive = true)]
    pub generate: Option<Generated>,
    #[command(subcommand)]
    pub what: Option<What>,
}

/// What `--generate` can print.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Generated {
    Man,
    Bash,
    Zsh,
    Fish,
}

#[derive(Debug, Subcommand)]
pub(crate) enum What {
    /// The connection scheduler: by the packet, on the wire, by the connection.
    #[command(after_help = AFTER)]
    Lvs(Lvs),
    /// Internode communication: calls, streams, priorities, nodes that go down.
    #[command(after_help = ICS_AFTER)]
    Ics(Ics),
    /// Membership: crashes, leaving, forming, writing, and what it costs.
    #[command(after_help = AFTER_CLMS)]
    Clms(Clms),
    /// Processes: looking at all of them, hearing of their end, watching the run queue.
    #[command(after_help = AFTER_PROC)]
    Proc(Proc),
    /// Supervision: restarting, starting, taking over, and what watching takes of memory.
    #[command(after_help = AFTER_KEEPALIVE)]
    Keepalive(Keepalive),
    /// Commands on other nodes, against commands here and ssh.
    #[command(after_help = AFTER_REXEC)]
    Rexec(Rexec),
    /// The node's end of `rexec`, which starts it.
    #[command(hide = true)]
    RexecNear {
        /// Rounds.
        rounds: usize,
        /// Commands of each, in a round.
        commands: usize,
        /// How many of them one after the other, before it is another's turn.
        in_a_row: usize,
        /// How many of them at once.
        at_once: usize,
    },
    /// Ten thousand processes for `proc`, which starts it.
    #[command(hide = true)]
    Herd {
        /// How many.
        count: usize,
    },
    /// The supervisor of `keepalive`, which starts it.
    #[command(hide = true)]
    KeepaliveFar {
        /// Its files.
        folder: PathBuf,
        /// How many instances of each process.
        count: u32,
    },
    /// The other end of `ics`, which starts it.
    #[command(hide = true)]
    IcsFar,
}

const AFTER: &str = "Parts:
  packet       nanoseconds a packet in the XDP program (BPF_PROG_TEST_RUN), net of what the
               driver program costs that makes each packet anew; floors are printed
  wire         packets a second through veth and native XDP, with live frames; what dropping
               and bouncing them costs is measured beside
  connections  short and long-lived TCP connections through the cluster's address in a real
               testbed, against none, nftables, HAProxy and nginx in its place

Bars are the project's own. Those in nanoseconds were set on a machine whose empty program
takes 25 ns; the bar in brackets is scaled to this machine's.

Examples:
  ssi-bench lvs                          everything
  ssi-bench lvs packet --quick           a first look, in seconds
  ssi-bench lvs connections --rounds 9
  ssi-bench lvs -o json >now.json
  ssi-bench lvs --out results            lvs.json and a plot of each part";

const ICS_AFTER: &str = "Parts:
  rpc       64 bytes there and back, one call after the other
  bulk      a stream in pieces of 64 KiB
  priority  urgent calls beside a stream that takes all there is, and without one
  nodedown  10,000 calls are pending when a node leaves the view

Two processes in network namespaces of their own, each on one CPU, joined by a veth pair.
Peers are raw TCP, tonic, tarpc and quinn.

Examples:
  ssi-bench ics                          everything
  ssi-bench ics rpc bulk --quick         a first look, in seconds
  ssi-bench ics --out results            ics.json and a plot of each part";

const AFTER_CLMS: &str = "Parts:
  crash    a node vanishes and nobody is told: time until all others have the same new view;
           every third time it is the master. Against corosync (as it comes, and tuned), serf
  leave    a node leaves in order: the same. Against corosync
  form     new nodes join at once; all nodes start again after a power cut. Against corosync
  write    the master crashes: longest time without a write to the agreed log. Against etcd
           (as it comes, and tuned)
  idle     bytes a second that each node sends and gets. Against corosync, serf
  memory   resident memory of the daemons. Against corosync, serf, etcd

All run on the machines of a testbed, one after the other. crash, leave and form measure
clusters of 3, 8 and 15 nodes, idle and memory the largest, write three nodes.

Examples:
  ssi-bench clms                          everything: an hour, as the others are slow
  ssi-bench clms crash --nodes 3 --quick
  ssi-bench clms --alone                  without the others: some minutes
  ssi-bench clms --out results            clms.json and a plot of each part";

const AFTER_PROC: &str = "Parts:
  scan    10,000 processes are looked at: the kernel's iterator over tasks, against opening,
          reading and closing /proc/PID/stat; and what a look each second takes of a core
  exit    from just before a process ends until it is heard of: the ring of events with epoll,
          against a pidfd
  switch  what the optional program at each switch from one task to another costs

Examples:
  ssi-bench proc                         everything
  ssi-bench proc scan --quick            a first look, in seconds
  ssi-bench proc --out results           proc.json and a plot of each part";

const AFTER_KEEPALIVE: &str = "Parts:
  restart  from just before a process is killed until the first instruction of the next one,
           idle and beside two threads for each CPU that never sleep. Against runit, s6,
           supervisord, monit, and a loop of posix_spawn(3) and waitpid(2)
  start    1,000 processes are started at once, against as many fork(2) and execve(2), and as
           many posix_spawn(3)
  memory   what a supervisor takes for each of 10,000 processes
  adopt    a supervisor of 10,000 processes is killed: until the next one watches them all

The processes are a program of some hundred bytes without libraries.

Examples:
  ssi-bench keepalive                    everything
  ssi-bench keepalive restart --quick    a first look
  ssi-bench keepalive restart --alone    without the others
  ssi-bench keepalive --out results      keepalive.json and a plot of each part";

#[derive(Debug, clap::Args)]
pub(crate) struct Keepalive {
    /// What to measure; everything if left out.
    #[arg(value_enum)]
    pub parts: Vec<KeepalivePart>,
    /// Without the others.
    #[arg(long)]
    pub alone: bool,
    #[command(flatten)]
    pub how: How,
}

const AFTER_REXEC: &str = "Parts:
  command  one command after the other
  many     500 at once

Two nodes of a testbed, on the same machine: what a command costs both of them counts. ssh has
a connection that stays (ControlMaster), and neither PAM nor anything to say.

Examples:
  ssi-bench rexec                        everything
  ssi-bench rexec --quick                a first look, in seconds
  ssi-bench rexec --out results          rexec.json and a plot";

#[derive(Debug, clap::Args)]
pub(crate) struct Rexec {
    /// What to measure; everything if left out.
    #[arg(value_enum)]
    pub parts: Vec<RexecPart>,
    #[command(flatten)]
    pub how: How,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Proc {
    /// What to measure; everything if left out.
    #[arg(value_enum)]
    pub parts: Vec<ProcPart>,
    #[command(flatten)]
    pub how: How,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Lvs {
    /// What to measure; everything if left out.
    #[arg(value_enum)]
    pub parts: Vec<Part>,
    #[command(flatten)]
    pub how: How,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Ics {
    /// What to measure; everything if left out.
    #[arg(value_enum)]
    pub parts: Vec<IcsPart>,
    #[command(flatten)]
    pub how: How,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Clms {
    /// What to measure; everything if left out.
    #[arg(value_enum)]
    pub parts: Vec<ClmsPart>,
    /// Sizes of clusters, separated by commas.
    #[arg(long, value_name = "SIZES", value_delimiter = ',', default_values_t = [3, 8, 15],
          value_parser = clap::value_parser!(u8).range(3..=15))]
    pub nodes: Vec<u8>,
    /// Without the others.
    #[arg(long)]
    pub alone: bool,
    #[command(flatten)]
    pub how: How,
}

/// How to measure, and what becomes of the figures.
#[derive(Debug, clap::Args)]
pub(crate) struct How {
    /// Few and short rounds.
    #[arg(long)]
    pub quick: bool,
    /// Rounds, instead of as many as the part thinks right.
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub rounds: Option<u16>,
    /// How to print it.
    #[arg(short, long, value_enum, default_value_t = Output::Table)]
    pub output: Output,
    /// Directory for the JSON document and the plots; it is made.
    #[arg(long, value_name = "DIRECTORY")]
    pub out: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Part {
    Packet,
    Wire,
    Connections,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum IcsPart {
    Rpc,
    Bulk,
    Priority,
    Nodedown,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ClmsPart {
    Crash,
    Leave,
    Form,
    Write,
    Idle,
    Memory,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ProcPart {
    Scan,
    Exit,
    Switch,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum KeepalivePart {
    Restart,
    Start,
    Memory,
    Adopt,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum RexecPart {
    Command,
    Series,
    Many,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Output {
    Table,
    Json,
}

/// The parts that are wanted: those that were named, or all.
pub(crate) fn wanted<T: ValueEnum>(named: &[T]) -> &[T] {
    if named.is_empty() {
        T::value_variants()
    } else {
        named
    }
}

impl How {
    /// How many rounds of a part, unless it was said.
    pub(crate) fn rounds(&self, normal: usize, quick: usize) -> usize {
        let own = if self.quick { quick } else { normal };
        self.rounds.map_or(own, usize::from)
    }
}
