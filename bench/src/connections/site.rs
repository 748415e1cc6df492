//! A real cluster to measure in: three nodes and a client of the testbed.

use std::fs::File;
use std::io::Write as _;
use std::net::Ipv4Addr;
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::thread;

use anyhow::{Context, Result, anyhow, bail};
use nix::sched::{CloneFlags, setns};
use nix::sys::signal::{SigSet, Signal};
use serde::Deserialize;

/// Which node balances; the others serve.
pub(crate) const DIRECTOR: &str = "1";
/// Those that serve.
pub(crate) const SERVERS: [u8; 2] = [2, 3];

/// The cluster; it is stopped when this is dropped, or when the user interrupts.
#[derive(Debug)]
pub(crate) struct Site {
    status: Status,
}

#[derive(Debug, Deserialize)]
struct Status {
    nodes: Vec<Node>,
    client: Client,
    cvip: Vec<Cvip>,
}

#[derive(Debug, Deserialize)]
struct Node {
    number: u8,
    pid: u32,
}

#[derive(Debug, Deserialize)]
struct Client {
    pid: u32,
}

#[derive(Debug, Deserialize)]
struct Cvip {
    address: std::net::IpAddr,
}

impl Site {
    /// Boots the cluster. Refused if one is running.
    pub(crate) fn boot() -> Result<Self> {
        stop_on_signals()?;
        testbed(&["start", "3"], "")?;
        // From here on a failure stops it again.
        let mut site = Self {
            status: Status {
                nodes: Vec::new(),
                client: Client { pid: 0 },
                cvip: Vec::new(),
            },
        };
        let status = testbed(&["status", "-o", "json"], "")?;
        site.status = serde_json::from_str(&status).context("ssi-testbed status")?;
        Ok(site)
    }

    /// Runs a shell's command line on a machine.
    pub(crate) fn sh(&self, machine: &str, script: &str, input: &str) -> Result<String> {
        testbed(&["exec", machine, "sh", "-ec", script], input)
    }

    /// The cluster's address.
    pub(crate) fn cvip(&self) -> Result<Ipv4Addr> {
        let all = self.status.cvip.iter().map(|cvip| cvip.address);
        all.into_iter()
            .find_map(|address| match address {
                std::net::IpAddr::V4(address) => Some(address),
                std::net::IpAddr::V6(_) => None,
            })
            .context("the testbed has an IPv4 address for the cluster")
    }

    /// Makes this thread one of a node.
    pub(crate) fn enter_node(&self, number: u8) -> Result<()> {
        let node = self.status.nodes.iter().find(|node| node.number == number);
        enter(node.context("the node is there")?.pid)
    }

    /// Runs `work` on a thread that is on the client.
    pub(crate) fn on_client<T: Send>(&self, work: impl FnOnce() -> Result<T> + Send) -> Result<T> {
        let pid = self.status.client.pid;
        thread::scope(|scope| {
            let client = scope.spawn(move || {
                enter(pid)?;
                work()
            });
            client
                .join()
                .unwrap_or_else(|_| Err(anyhow!("the client's thread panicked")))
        })
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        if let Err(error) = testbed(&["stop"], "") {
            eprintln!("ssi-bench: {error:#}");
        }
    }
}

fn enter(pid: u32) -> Result<()> {
    let path = format!("/proc/{pid}/ns/net");
    let namespace = File::open(&path).with_context(|| path.clone())?;
    setns(namespace, CloneFlags::CLONE_NEWNET).context(path)
}

/// ^C and SIGTERM stop the cluster, then this program. A killed one leaves it to the
/// testbed's next `start` or `stop`.
fn stop_on_signals() -> Result<()> {
    let mut signals = SigSet::empty();
    signals.add(Signal::SIGINT);
    signals.add(Signal::SIGTERM);
    signals.thread_block()?;
    thread::spawn(move || {
        if let Ok(signal) = signals.wait() {
            let _ = testbed(&["stop"], "");
            std::process::exit(128 + signal as i32);
        }
    });
    Ok(())
}

/// Runs `ssi-testbed`, which lies beside this program; what it printed.
fn testbed(arguments: &[&str], input: &str) -> Result<String> {
    let mut command = Command::new(beside()?);
    command
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    // SAFETY: one system call, which is async-signal-safe and touches no memory of ours.
    unsafe {
        command.pre_exec(|| SigSet::empty().thread_set_mask().map_err(Into::into));
    }
    let mut child = command.spawn().context("cannot run ssi-testbed")?;
    let mut stdin = child.stdin.take().context("piped")?;
    // It may end without reading.
    let _ = stdin.write_all(input.as_bytes());
    drop(stdin);
    let output = child.wait_with_output()?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        bail!("ssi-testbed {}: {}", arguments.join(" "), said.trim());
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

fn beside() -> Result<PathBuf> {
    let own = std::env::current_exe()?;
    Ok(own.with_file_name("ssi-testbed"))
}
