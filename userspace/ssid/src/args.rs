//! The command line.

use std::net::{Ipv6Addr, SocketAddr};
use std::path::PathBuf;

use clap::{Parser, ValueEnum};
use ssi_clms::door::Token;

/// The node daemon of ssi
///
/// Runs on every node: loads the packet path into the kernel, attaches it to the
/// configured interfaces, holds the cluster's virtual addresses, and answers `ssi` over
/// its control socket. It stays in the foreground and logs to standard error.
///
/// The packet path is pinned in the kernel. Stopping, restarting, even killing ssid
/// interrupts no connection; a new ssid takes over what it finds. Only `ssid --unload`
/// takes everything out.
#[derive(Debug, Parser)]
#[command(
    name = "ssid",
    version,
    max_term_width = 100,
    after_long_help = "\
Signals:
  SIGTERM, SIGINT  stop serving and leave; connections go on
  SIGHUP           read the configuration again: virtual addresses, interfaces, nodes,
                   processes and log level are changed in place; the rest asks for a restart in the log

Exit status:
  0  stopped as asked
  1  could not start, or a part of the daemon failed: see the log
  2  the command line makes no sense

Files:
  /etc/ssi/ssi.toml        configuration; not there: the defaults
  /run/ssi/ssid.sock       control socket
  /var/lib/ssi             state that outlives a reboot
  /sys/fs/bpf/ssi/VERSION  maps and attachments that outlive the daemon"
)]
pub(crate) struct Args {
    /// Configuration file [default: /etc/ssi/ssi.toml]
    #[arg(long, value_name = "PATH")]
    pub(crate) config: Option<PathBuf>,
    /// Check the configuration and leave
    #[arg(long, group = "instead")]
    pub(crate) check: bool,
    /// Print every setting with its default and what it means, and leave
    #[arg(long, group = "instead")]
    pub(crate) print_default_config: bool,
    /// Detach everything, remove all pins and the virtual addresses, and leave
    #[arg(long, group = "instead")]
    pub(crate) unload: bool,
    /// Print what this kernel offers, as JSON, and leave (`ssi doctor` shows it as a table)
    #[arg(long, group = "instead")]
    pub(crate) doctor: bool,
    /// Be a witness instead of a node: a voter for a cluster of two, on a third machine
    ///
    /// `ssid --witness HOST TOKEN` enrols at one of the nodes with what `ssi token` prints
    /// there (`-` reads it from standard input), and goes on as the witness; the next time,
    /// `ssid --witness` alone goes on. It stays in the foreground.
    #[arg(long, group = "instead")]
    pub(crate) witness: bool,
    #[command(flatten)]
    pub(crate) witnessing: WitnessArgs,
    /// Print the manual page or a shell's completions, for `make install`
    #[arg(long, hide = true, value_enum, group = "instead")]
    pub(crate) generate: Option<Generated>,
}

/// What a witness is told.
#[derive(Debug, clap::Args)]
pub(crate) struct WitnessArgs {
    /// A node of the cluster, when a witness enrols
    #[arg(requires = "witness", requires = "token", value_name = "HOST")]
    pub(crate) host: Option<String>,
    /// What `ssi token` prints there
    #[arg(requires = "witness", value_name = "TOKEN")]
    token: Option<String>,
    /// Where a witness listens
    #[arg(long, requires = "witness", value_name = "ADDRESS:PORT",
          default_value_t = SocketAddr::new(Ipv6Addr::UNSPECIFIED.into(), ssi_clms::door::PORT))]
    pub(crate) listen: SocketAddr,
    /// Where a witness keeps its certificate and the log
    #[arg(long, requires = "witness", value_name = "DIRECTORY",
          default_value = crate::witness::STATE)]
    pub(crate) state: PathBuf,
}

impl WitnessArgs {
    /// The token, wherever it was given.
    pub(crate) fn token(&self) -> anyhow::Result<Option<Token>> {
        let text = match self.token.as_deref() {
            None => return Ok(None),
            Some("-") => {
                let mut line = String::new();
                std::io::stdin().read_line(&mut line)?;
                line
            }
            Some(text) => text.to_owned(),
        };
        Ok(Some(text.parse()?))
    }
}

/// What `--generate` can print.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Generated {
    Man,
    Bash,
    Zsh,
    Fish,
}
