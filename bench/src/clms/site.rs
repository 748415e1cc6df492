//! Machines to measure on: those of the testbed, with nothing running on them. Everything
//! that is compared runs on the same machines, one after the other.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail};
use ssi_testbed::plan::{Machine, Net};
use ssi_testbed::state::{self, State};
use ssi_testbed::{cluster, fault, form};

use crate::testbed::{self, Running, enter, start, testbed};

/// Numbers of nodes.
pub(crate) type Nodes = BTreeSet<u8>;

/// Machines that are up; they are stopped when this is dropped.
#[derive(Debug)]
pub(crate) struct Site {
    state: State,
    _running: Running,
}

impl Site {
    /// Boots machines 1 to `nodes`. Refused if a testbed is running.
    pub(crate) fn boot(nodes: u8) -> Result<Self> {
        let running = start(nodes, &["--no-ssid"])?;
        Ok(Self {
            state: state::running()?,
            _running: running,
        })
    }

    /// The numbers of the machines that are up.
    pub(crate) fn nodes(&self) -> Nodes {
        self.state.nodes().map(Machine::host).collect()
    }

    /// What the testbed knows.
    pub(crate) fn state(&self) -> &State {
        &self.state
    }

    /// Address of a machine on the interconnect.
    pub(crate) fn address(node: u8) -> std::net::IpAddr {
        Machine::Node(node).addresses(Net::Interconnect)[0]
    }

    /// Process id of a machine's init.
    pub(crate) fn init(&self, node: u8) -> Result<i32> {
        let init = self.state.init_of(Machine::Node(node));
        init.with_context(|| format!("node {node} is up"))
    }

    /// Where `ssid` of a machine listens, as seen from here.
    pub(crate) fn socket(&self, node: u8) -> Result<PathBuf> {
        form::socket(&self.state, Machine::Node(node)).with_context(|| format!("node {node} is up"))
    }

    /// Runs a shell's command line on a machine.
    pub(crate) fn sh(node: u8, script: &str) -> Result<String> {
        testbed(&["exec", &node.to_string(), "sh", "-ec", script], "")
    }

    /// Starts something on machines, at once on all; it goes on when this returns.
    pub(crate) fn start(nodes: &Nodes, program: impl Fn(u8) -> String + Sync) -> Result<()> {
        thread::scope(|scope| {
            let program = &program;
            let starts = nodes.iter().map(|&node| {
                scope.spawn(move || {
                    let line = format!(
                        "setsid {} >>/run/daemon.log 2>&1 </dev/null &",
                        program(node)
                    );
                    Self::sh(node, &line).map(drop)
                })
            });
            let starts: Vec<_> = starts.collect();
            starts.into_iter().try_for_each(|start| {
                let start = start.join();
                start.unwrap_or_else(|_| Err(anyhow!("a thread panicked")))
            })
        })
    }

    /// Lets machines vanish, as a power cut does, while `work` goes on; it gets the moment
    /// at which the first cable was about to be cut.
    pub(crate) fn crash<T: Send>(
        &mut self,
        nodes: &Nodes,
        work: impl FnOnce(&Self, Instant) -> Result<T> + Send,
    ) -> Result<T> {
        let numbers: Vec<u8> = nodes.iter().copied().collect();
        let at = Instant::now();
        let seen = thread::scope(|scope| {
            let crash = scope.spawn(|| cluster::remove(&numbers));
            let seen = work(self, at);
            let crashed = crash.join();
            crashed.map_err(|_| anyhow!("the crash panicked"))??;
            seen
        });
        self.state = state::running()?;
        seen
    }

    /// Boots machines that had crashed; their disks are as they were.
    pub(crate) fn boot_again(&mut self, nodes: &Nodes) -> Result<()> {
        let numbers: Vec<String> = nodes.iter().map(u8::to_string).collect();
        testbed::add(&numbers)?;
        self.state = state::running()?;
        Ok(())
    }

    /// Runs `work` on a thread that is on a machine's networks.
    pub(crate) fn on<T: Send>(
        &self,
        node: u8,
        work: impl FnOnce() -> Result<T> + Send,
    ) -> Result<T> {
        let init = u32::try_from(self.init(node)?)?;
        thread::scope(|scope| {
            let there = scope.spawn(move || {
                enter(init)?;
                work()
            });
            let there = there.join();
            there.unwrap_or_else(|_| Err(anyhow!("a thread panicked")))
        })
    }

    /// The processes of a machine that have this name.
    pub(crate) fn processes(&self, node: u8, name: &str) -> Result<Vec<i32>> {
        let found = fault::named(self.init(node)?, name);
        if found.is_empty() {
            bail!("{name} does not run on node {node}: {}", log(node));
        }
        Ok(found)
    }
}

/// The end of what a machine's daemons said.
pub(crate) fn log(node: u8) -> String {
    Site::sh(node, "tail -n 8 /run/daemon.log").unwrap_or_else(|error| error.to_string())
}

/// Whether a program is installed.
pub(crate) fn installed(program: &str) -> bool {
    Command::new("sh")
        .args(["-c", &format!("command -v {program}")])
        .env(
            "PATH",
            "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        )
        .stdout(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// Looks every `pause` until something is so.
pub(crate) fn until(
    what: &str,
    patience: Duration,
    pause: Duration,
    mut so: impl FnMut() -> Result<bool>,
) -> Result<()> {
    let end = Instant::now() + patience;
    while !so()? {
        if Instant::now() > end {
            bail!("waited {} s: {what}", patience.as_secs());
        }
        thread::sleep(pause);
    }
    Ok(())
}
