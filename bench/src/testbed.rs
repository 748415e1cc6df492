//! The testbed, as its users command it: the program that lies beside this one.

use std::fs::File;
use std::io::Write as _;
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use anyhow::{Context, Result, bail};
use nix::sched::{CloneFlags, setns};
use nix::sys::signal::{SigSet, Signal};

/// Makes this thread one of the network of a process.
pub(crate) fn enter(pid: u32) -> Result<()> {
    let path = format!("/proc/{pid}/ns/net");
    let namespace = File::open(&path).with_context(|| path.clone())?;
    setns(namespace, CloneFlags::CLONE_NEWNET).context(path)
}

/// From now on ^C and SIGTERM stop the cluster that runs, if this program made one, then
/// this program. A killed one leaves it to the testbed's next `start` or `stop`.
///
/// To be called while there is one thread: those of later inherit the signals' mask.
pub(crate) fn stop_on_signals() -> Result<()> {
    let mut signals = SigSet::empty();
    signals.add(Signal::SIGINT);
    signals.add(Signal::SIGTERM);
    signals.thread_block()?;
    thread::spawn(move || {
        if let Ok(signal) = signals.wait() {
            // What the program is at, as booting machines, ends first; it begins nothing else.
            let _at_it = BOOTING.lock();
            if OURS.load(Ordering::Relaxed)
                && let Err(error) = testbed(&["stop"], "")
            {
                eprintln!("ssi-bench: the cluster is not stopped: {error:#}");
            }
            std::process::exit(128 + signal as i32);
        }
    });
    Ok(())
}

/// Held while machines are booted, and from a signal to the end.
static BOOTING: Mutex<()> = Mutex::new(());
/// Whether this program has begun to boot machines.
static OURS: AtomicBool = AtomicBool::new(false);

/// Machines that are up; they are stopped when this is dropped.
#[derive(Debug)]
pub(crate) struct Running(());

impl Drop for Running {
    fn drop(&mut self) {
        if let Err(error) = testbed(&["stop"], "") {
            eprintln!("ssi-bench: {error:#}");
        }
    }
}

/// Boots machines 1 to `nodes`. Refused if a testbed is running.
pub(crate) fn start(nodes: u8, options: &[&str]) -> Result<Running> {
    let nodes = nodes.to_string();
    let mut arguments = vec!["start", &nodes];
    arguments.extend(options);
    let _booting = BOOTING.lock();
    // Somebody else's, if there is one, shall not be stopped in its place.
    if !ssi_testbed::leftovers::found() {
        OURS.store(true, Ordering::Relaxed);
    }
    testbed(&arguments, "").map(|_| Running(()))
}

/// Boots machines again.
pub(crate) fn add(nodes: &[String]) -> Result<()> {
    let _booting = BOOTING.lock();
    let mut arguments = vec!["add"];
    arguments.extend(nodes.iter().map(String::as_str));
    testbed(&arguments, "").map(drop)
}

/// Runs `ssi-testbed`, which lies beside this program; what it printed.
pub(crate) fn testbed(arguments: &[&str], input: &str) -> Result<String> {
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
