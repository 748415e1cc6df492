//! The guard: a process of its own that stands everything still when the lease is over and
//! no `ssid` is there to do it.
//!
//! The kernel renews the lease while no `ssid` runs, and shuts a node out whose lease is over;
//! but it stops no process. What may run on another node by then must not go on here.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io;
use std::os::fd::AsFd as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Result;
use nix::fcntl::{Flock, FlockArg};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use ssi_abi::member::own_flag;
use ssi_clms::runner::clock;
use ssi_loader::map::OwnNode;
use ssi_vproc::core::State;
use ssi_vproc::procfs::Stat;

use crate::config::Config;
use crate::{lock, memory};

/// What the program is told to be the guard, before the folder of the cgroups and the lock of
/// `ssid`.
const ARGUMENT: &str = "--be-the-guard-of";
/// How often it looks while there is no lease.
const LOOK: Duration = Duration::from_millis(10);
/// How often, at least, while there is one.
const LONGEST: Duration = Duration::from_secs(2);
/// How long one that was killed may take to be gone.
const DYING: Duration = Duration::from_secs(2);

/// The guard's work, if this process was started to be it.
pub(crate) fn serve_if_asked() -> Option<ExitCode> {
    let mut args = std::env::args_os().skip(1);
    if args.next()? != ARGUMENT {
        return None;
    }
    let (cgroups, daemon) = (PathBuf::from(args.next()?), PathBuf::from(args.next()?));
    Some(match serve(&cgroups, &daemon) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    })
}

/// The guard of this node, as `ssid` sees it.
pub(super) struct Guard {
    cgroups: PathBuf,
    /// Has its pid, and its lock.
    file: PathBuf,
    /// What `ssid` has locked as long as it lives.
    daemon: PathBuf,
}

impl Guard {
    pub(super) fn of(config: &Config, cgroups: &Path) -> Self {
        Self {
            cgroups: cgroups.to_owned(),
            file: config.runtime().join("guard"),
            daemon: lock::path(config),
        }
    }

    /// Starts it.
    pub(super) fn start(&self, own: &OwnNode) -> io::Result<()> {
        let file = File::create(&self.file)?;
        let child = Command::new("/proc/self/exe")
            .arg0("ssid-guard")
            .arg(ARGUMENT)
            .args([&self.cgroups, &self.daemon])
            .env_clear()
            .current_dir("/")
            .stdin(Stdio::from(own.share()?))
            .stdout(Stdio::from(file))
            .stderr(Stdio::null())
            .spawn()?;
        fs::write(&self.file, child.id().to_string())
    }

    /// Ends the one that runs, if one does.
    pub(super) fn end(&self) -> io::Result<()> {
        let Ok(text) = fs::read_to_string(&self.file) else {
            return Ok(());
        };
        let end = Instant::now() + DYING;
        // Who has the lock is the guard; a number alone could be another process's by now.
        while !is_free(&self.file)? {
            if let Ok(pid) = text.trim().parse() {
                // It may have ended meanwhile.
                let _ = kill(Pid::from_raw(pid), Signal::SIGKILL);
            }
            if Instant::now() > end {
                return Err(io::Error::other("the guard of the lease does not end"));
            }
            thread::sleep(Duration::from_millis(1));
        }
        fs::remove_file(&self.file)
    }

    /// If it has stood everything still, each instance stands still by itself from now on, so
    /// that some can be let go; those that do.
    pub(super) fn hand_over(&self) -> io::Result<BTreeSet<PathBuf>> {
        let all = self.cgroups.join("cgroup.freeze");
        let mut stood = BTreeSet::new();
        if fs::read_to_string(&all).map_or(true, |state| state.trim() != "1") {
            return Ok(stood);
        }
        for entry in fs::read_dir(&self.cgroups)?.flatten() {
            let freeze = entry.path().join("cgroup.freeze");
            if freeze.exists() {
                fs::write(freeze, "1")?;
                stood.insert(entry.path());
            }
        }
        fs::write(all, "0")?;
        Ok(stood)
    }

    /// Lets those go on that need no lease; the supervisor sees to the others.
    pub(super) fn let_go(
        &self,
        stood: &BTreeSet<PathBuf>,
        is_bound: impl Fn(&str) -> bool,
    ) -> io::Result<()> {
        for folder in stood {
            let name = folder.file_name().unwrap_or_default().to_string_lossy();
            // An instance is called `web` or `web:1`.
            let process = name.split(':').next().unwrap_or_default();
            let freeze = folder.join("cgroup.freeze");
            if is_bound(process) && freeze.exists() {
                fs::write(freeze, "0")?;
            }
        }
        Ok(())
    }
}

/// Whether nobody has locked a file.
fn is_free(path: &Path) -> io::Result<bool> {
    let file = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(true),
        opened => opened?,
    };
    Ok(Flock::lock(file, FlockArg::LockExclusiveNonblock).is_ok())
}

/// Whether the `ssid` runs that has written its pid to its lock. Its lock is not tried: a new
/// one that wants it would find it taken.
fn is_there(daemon: &Path) -> bool {
    let pid = fs::read_to_string(daemon).unwrap_or_default();
    let stat = fs::read(format!("/proc/{}/stat", pid.trim())).unwrap_or_default();
    let ended = |state| matches!(state, State::Zombie | State::Dead);
    Stat::parse(&stat).is_some_and(|stat| stat.comm == b"ssid" && !ended(stat.state))
}

fn serve(cgroups: &Path, daemon: &Path) -> Result<()> {
    // It can't fail, as it leads no group.
    let _ = rustix::process::setsid();
    let _ = rustix::thread::set_name(c"ssid-guard");
    let lock = io::stdout().as_fd().try_clone_to_owned()?;
    let Ok(_lock) = Flock::lock(lock, FlockArg::LockExclusiveNonblock) else {
        return Ok(());
    };
    let own = OwnNode::of(io::stdin().as_fd().try_clone_to_owned()?)?;
    let freeze = cgroups.join("cgroup.freeze");
    // What it took to start is not needed any more.
    memory::give_back();
    loop {
        let now = own.get();
        let left = now.lease_until.saturating_sub(clock::now().0);
        let left = Duration::from_nanos(left).min(LONGEST);
        if now.flags & own_flag::MEMBER == 0 {
            thread::sleep(LONGEST);
        } else if !left.is_zero() {
            thread::sleep(left);
        } else {
            // One that is there stands still what has to, and lets the rest go on.
            if !is_there(daemon) {
                // There may be nothing to stand still.
                let _ = fs::write(&freeze, "1");
            }
            thread::sleep(LOOK);
        }
    }
}
