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
pub(crate) enum Output {
    Table,
    Json,
}

impl Lvs {
    /// Whether a part is wanted.
    pub(crate) fn wants(&self, part: Part) -> bool {
        self.parts.is_empty() || self.parts.contains(&part)
    }
}

impl Ics {
    /// Whether a part is wanted.
    pub(crate) fn wants(&self, part: IcsPart) -> bool {
        self.parts.is_empty() || self.parts.contains(&part)
    }
}

impl How {
    /// How many rounds of a part, unless it was said.
    pub(crate) fn rounds(&self, normal: usize, quick: usize) -> usize {
        let own = if self.quick { quick } else { normal };
        self.rounds.map_or(own, usize::from)
    }
}
