//! The two ends: this process and another, and the cable between them.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::Ipv4Addr;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::rc::Rc;

use anyhow::{Context, Result, bail};
use nix::sched::{CloneFlags, CpuSet, sched_getaffinity, sched_setaffinity, unshare};
use nix::unistd::Pid;
use serde::{Deserialize, Serialize};
use ssi_ics::runner::Identity;

use super::peers::ours::{End, Kind};
use crate::cables::ip;

/// Where this end is.
pub(crate) const NEAR: Ipv4Addr = Ipv4Addr::new(10, 117, 0, 1);
/// Where the other is.
pub(crate) const FAR: Ipv4Addr = Ipv4Addr::new(10, 117, 0, 2);

/// What the other end has to know.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Settings {
    pub(super) near: Keys,
    pub(super) far: Keys,
}

/// A certificate and its key, both DER.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Keys {
    pub(super) certificate: Vec<u8>,
    pub(super) key: Vec<u8>,
}

impl Keys {
    fn generate() -> Result<Self> {
        let identity = Identity::generate()?;
        Ok(Self {
            certificate: identity.certificate().to_vec(),
            key: identity.key().to_vec(),
        })
    }

    pub(super) fn identity(&self) -> Identity {
        Identity::new(self.certificate.clone(), self.key.clone())
    }
}

/// This end, with the other at work.
pub(super) struct Pair {
    far: Child,
    /// The other end goes when this is closed.
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
    pub(super) settings: Settings,
    /// This end of ICS, of each kind that was needed so far.
    pub(super) ends: RefCell<BTreeMap<Kind, Rc<End>>>,
    _urgent: Urgent,
}

impl Pair {
    /// Goes to a new network namespace, starts the other end in another, and waits until it
    /// serves everybody who is measured.
    pub(super) fn start() -> Result<Self> {
        leave()?;
        let mut far = Command::new(std::env::current_exe()?)
            .arg("ics-far")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot start the other end")?;
        // The other end has been started where it may still choose its CPU.
        take_cpu(Cpu::Last)?;
        let input = far.stdin.take().context("piped")?;
        let output = BufReader::new(far.stdout.take().context("piped")?);
        let settings = Settings {
            near: Keys::generate()?,
            far: Keys::generate()?,
        };
        // From here on a failure ends it again.
        let mut pair = Self {
            far,
            input: Some(input),
            output,
            settings,
            ends: RefCell::default(),
            _urgent: Urgent::now(),
        };
        pair.hear("here")?;
        let there = pair.far.id().to_string();
        let link = ["link", "add", "near", "type", "veth", "peer", "name", "far"];
        ip(&[&link[..], &["netns", &there]].concat())?;
        plug("near", NEAR)?;
        let mut line = serde_json::to_string(&pair.settings)?;
        line.push('\n');
        let input = pair.input.as_mut().context("it has been started")?;
        input.write_all(line.as_bytes())?;
        pair.hear("ready")?;
        Ok(pair)
    }

    fn hear(&mut self, wanted: &str) -> Result<()> {
        let mut line = String::new();
        self.output.read_line(&mut line)?;
        if line.trim() != wanted {
            bail!("the other end did not come up: {:?}", line.trim());
        }
        Ok(())
    }
}

impl Drop for Pair {
    fn drop(&mut self) {
        self.input = None;
        // It is on its way, and its namespace with it.
        let _ = self.far.wait();
    }
}

/// Leaves the network that this process was started in.
pub(super) fn leave() -> Result<()> {
    unshare(CloneFlags::CLONE_NEWNET).context("cannot have a network namespace")
}

/// Gives one end of the cable its address.
pub(super) fn plug(interface: &str, address: Ipv4Addr) -> Result<()> {
    ip(&["link", "set", "dev", "lo", "up"])?;
    let address = format!("{address}/24");
    ip(&["address", "add", &address, "dev", interface])?;
    ip(&["link", "set", "dev", interface, "up"])
}

/// Which of those that this process may use.
#[derive(Clone, Copy, Debug)]
pub(super) enum Cpu {
    First,
    Last,
}

/// How urgent both ends are: what else the machine does is not measured.
const NICE: &str = "-20";
/// How urgent this process's session is, where the kernel shares CPUs by session
/// (`CONFIG_SCHED_AUTOGROUP`, Linux 2.6.38). Threads of both ends still count among themselves
/// by their own niceness.
const AUTOGROUP: &str = "/proc/self/autogroup";

/// Until it is dropped, this session comes before all others.
#[derive(Debug)]
struct Urgent(Option<String>);

impl Urgent {
    fn now() -> Self {
        let said = fs::read_to_string(AUTOGROUP).unwrap_or_default();
        let before = said.rsplit(' ').next().map(|nice| nice.trim().to_owned());
        // A kernel that has no such thing goes by the threads' own niceness.
        let done = fs::write(AUTOGROUP, NICE).is_ok();
        Self(before.filter(|_| done))
    }
}

impl Drop for Urgent {
    fn drop(&mut self) {
        if let Some(before) = &self.0 {
            let _ = fs::write(AUTOGROUP, before);
        }
    }
}

/// Keeps this process on one CPU.
pub(super) fn take_cpu(which: Cpu) -> Result<()> {
    let usable = sched_getaffinity(Pid::from_raw(0))?;
    let mut cpus = (0..CpuSet::count()).filter(|cpu| usable.is_set(*cpu).unwrap_or(false));
    let cpu = match which {
        Cpu::First => cpus.next(),
        Cpu::Last => cpus.next_back(),
    };
    let mut one = CpuSet::new();
    one.set(cpu.context("this process may run on no CPU?")?)?;
    Ok(sched_setaffinity(Pid::from_raw(0), &one)?)
}
