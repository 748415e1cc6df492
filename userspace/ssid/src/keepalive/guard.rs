//! The guard: a process of its own that stands everything still when the lease is over and
//! `ssid` hasn't done so: because there is none, because it is stopped, or because it is late.
//!
//! The kernel renews the lease while no `ssid` runs, and shuts a node out whose lease is over;
//! but it stops no process. What may run on another node by then must not go on here.
//!
//! `ssid` and its guard have a file in common, which begins with what the guard is told
//! ([`Told`]): that `ssid` has stood still, one by one, all that needs a lease, so that the
//! guard has nothing to do until they are let go on; or in which life of this node they may
//! run. A node that was put out and comes back can have a lease before `ssid` has ended what
//! it ran in the life before, which others run by then. It is a write(2) on one side and a
//! read(2) on the other, and stays as it is when `ssid` ends.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::fs::{FileExt as _, MetadataExt as _};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Result;
use nix::fcntl::{Flock, FlockArg};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use ssi_abi::member::{Own, own_flag};
use ssi_clms::runner::clock;
use ssi_keepalive::placement::Life;
use ssi_loader::map::OwnNode;

use crate::config::Config;
use crate::memory;

/// What the program is told to be the guard, before the folder of the cgroups.
const ARGUMENT: &str = "--be-the-guard-of";
/// How many bytes of the file are what the guard is told; who it is follows.
const LENGTH: usize = size_of::<u32>();
/// How often it looks while there is no lease.
const LOOK: Duration = Duration::from_millis(10);
/// How often, at least, while there is one: shorter than a lease, which can begin and end
/// meanwhile, or be cut short.
const LONGEST: Duration = Duration::from_millis(500);
/// How often it is looked whether `ssid` waits for a process that stands still.
const UNBORN: Duration = Duration::from_millis(100);
/// How long after one was killed another is started.
const AGAIN: Duration = Duration::from_millis(100);
/// How long one that was killed may take to be gone.
const DYING: Duration = Duration::from_secs(2);

/// What the guard is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Told {
    /// What needs a lease stands still, each instance by itself.
    Stands,
    /// It may run in this life of the node, as long as there is a lease; none: it may not.
    Runs(Option<u32>),
}

impl Told {
    /// It may run in a life, if that is one.
    pub(super) fn runs(life: Option<Life>) -> Self {
        Self::Runs(life.map(|life| life.life))
    }

    /// In one write(2). A guard that reads only a part of it as it is by now takes it for
    /// another life, and looks again.
    fn say(self, file: &File) -> io::Result<()> {
        // Lives count from 1, and no node comes back four billion times.
        let number = match self {
            Self::Stands => 0,
            Self::Runs(life) => life.unwrap_or(u32::MAX),
        };
        file.write_all_at(&number.to_le_bytes(), 0)
    }

    fn read(file: &File) -> io::Result<Self> {
        let mut number = [0; LENGTH];
        file.read_exact_at(&mut number, 0)?;
        Ok(match u32::from_le_bytes(number) {
            0 => Self::Stands,
            u32::MAX => Self::Runs(None),
            life => Self::Runs(Some(life)),
        })
    }

    /// Whether the guard is to stand everything still, at this moment of the lease's clock.
    fn wants_still(self, own: &Own, now: u64) -> bool {
        match self {
            Self::Stands => false,
            Self::Runs(life) => life != Some(own.incarnation) || own.lease_until <= now,
        }
    }
}

/// The guard's work, if this process was started to be it.
pub(crate) fn serve_if_asked() -> Option<ExitCode> {
    let mut args = std::env::args_os().skip(1);
    if args.next()? != ARGUMENT {
        return None;
    }
    let cgroups = PathBuf::from(args.next()?);
    Some(match serve(&cgroups) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    })
}

/// The guard of this node, as `ssid` sees it.
pub(super) struct Guard {
    cgroups: PathBuf,
    /// Has what it is told, its pid, and its lock.
    file: PathBuf,
    /// The file, once it was started.
    open: Option<File>,
}

impl Guard {
    pub(super) fn of(config: &Config, cgroups: &Path) -> Self {
        Self {
            cgroups: cgroups.to_owned(),
            file: config.runtime().join("guard"),
            open: None,
        }
    }

    /// Starts one, and another whenever it is killed; then ends that of the `ssid` before: at no
    /// moment is there none, or who kills us now leaves processes behind that nothing stands
    /// still. Until it is [told](Self::tell) more, it goes by what the other was told.
    pub(super) fn take_over(&mut self, own: &OwnNode) -> io::Result<()> {
        let new = self.new_file();
        end(&new)?;
        let old = match File::open(&self.file) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            opened => Some(opened?),
        };
        let mut options = File::options();
        let open = options.read(true).write(true).create_new(true).open(&new)?;
        let before = old.as_ref().and_then(|old| Told::read(old).ok());
        // No node begins another life without its ssid.
        let now = Told::Runs(Some(own.get().incarnation));
        before.unwrap_or(now).say(&open)?;
        let told = open.try_clone()?;
        let (file, cgroups) = (self.file.clone(), self.cgroups.clone());
        let own = own.share()?;
        let mut child = run(&new, &cgroups, own.try_clone()?)?;
        let end_of_start = Instant::now() + DYING;
        while guard_in(&open).is_none() && Instant::now() < end_of_start {
            thread::sleep(Duration::from_millis(1));
        }
        fs::rename(&new, &file)?;
        if let Some(old) = old {
            end_of(old)?;
        }
        let watch = move || {
            loop {
                // Nobody else waits for it.
                let _ = child.wait();
                if told.metadata().map_or(0, |file| file.nlink()) == 0 {
                    return;
                }
                tracing::warn!("the guard of the lease was killed: starting another");
                thread::sleep(AGAIN);
                match own.try_clone().and_then(|own| run(&file, &cgroups, own)) {
                    Ok(another) => child = another,
                    Err(error) => {
                        tracing::error!("cannot start a guard of the lease: {error}");
                        thread::sleep(LONGEST);
                    }
                }
            }
        };
        thread::Builder::new()
            .name("ssi-guard".to_owned())
            .stack_size(64 << 10)
            .spawn(watch)?;
        self.open = Some(open);
        Ok(())
    }

    /// Tells it how things stand: after the last instance that needs a lease stands still by
    /// itself, and before the first of them goes on.
    pub(super) fn tell(&self, how: Told) {
        let told = self.open.as_ref().map(|open| how.say(open));
        if let Some(Err(error)) = told {
            tracing::error!("the guard of the lease can't be told: {error}");
        }
    }

    /// Ends those that run.
    pub(super) fn end(&self) -> io::Result<()> {
        end(&self.new_file())?;
        end(&self.file)
    }

    /// The file of one that has not taken the other's place yet.
    fn new_file(&self) -> PathBuf {
        self.file.with_extension("new")
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
        // Or it would stand them all still again.
        self.tell(Told::Stands);
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

/// Ends the guard that has this file, if one does.
fn end(file: &Path) -> io::Result<()> {
    let open = match File::open(file) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        opened => opened?,
    };
    fs::remove_file(file)?;
    end_of(open)
}

/// Ends the guard that has this file, which has no name any more: so it goes by itself, also
/// one that has not said yet who it is.
fn end_of(file: File) -> io::Result<()> {
    let mut lock = Flock::lock(file, FlockArg::LockExclusiveNonblock);
    let end = Instant::now() + DYING;
    // Who has the lock is the guard; a number alone could be another process's by now.
    while let Err((file, _)) = lock {
        if let Some(pid) = guard_in(&file) {
            // It may have ended meanwhile.
            let _ = kill(pid, Signal::SIGKILL);
        }
        if Instant::now() > end {
            return Err(io::Error::other("the guard of the lease does not end"));
        }
        thread::sleep(Duration::from_millis(1));
        lock = Flock::lock(file, FlockArg::LockExclusiveNonblock);
    }
    Ok(())
}

/// Starts a guard.
fn run(file: &Path, cgroups: &Path, own: OwnedFd) -> io::Result<Child> {
    // Opened anew: whoever has a copy of this has its lock.
    let file = File::options().read(true).write(true).open(file)?;
    Command::new("/proc/self/exe")
        .arg0("ssid-guard")
        .arg(ARGUMENT)
        .arg(cgroups)
        .env_clear()
        .current_dir("/")
        .stdin(Stdio::from(own))
        .stdout(Stdio::from(file))
        .stderr(Stdio::null())
        .spawn()
}

/// The guard that has said in a file who it is.
fn guard_in(mut file: &File) -> Option<Pid> {
    let mut text = String::new();
    file.seek(SeekFrom::Start(LENGTH as u64)).ok()?;
    file.read_to_string(&mut text).ok()?;
    let pid = text.trim().parse().ok()?;
    // Others would stand for groups of processes.
    (pid > 1).then(|| Pid::from_raw(pid))
}

/// Ends processes that have not become their programs yet. `ssid` waits for each with its own
/// memory in its hands; one that stands still would keep it from standing the others still.
fn end_unborn(cgroups: &Path) {
    let of = |path: &Path| fs::metadata(path).map(|exe| (exe.dev(), exe.ino())).ok();
    let own = of(Path::new("/proc/self/exe"));
    for folder in fs::read_dir(cgroups).into_iter().flatten().flatten() {
        let list = fs::read_to_string(folder.path().join("cgroup.procs"));
        for pid in list.unwrap_or_default().lines() {
            let exe = of(&Path::new("/proc").join(pid).join("exe"));
            if let Ok(number) = pid.parse()
                && exe.is_some()
                && exe == own
            {
                // It may have ended meanwhile.
                let _ = kill(Pid::from_raw(number), Signal::SIGKILL);
            }
        }
    }
}

fn serve(cgroups: &Path) -> Result<()> {
    // It can't fail, as it leads no group.
    let _ = rustix::process::setsid();
    let _ = rustix::thread::set_name(c"ssid-guard");
    let file = || io::stdout().as_fd().try_clone_to_owned();
    let told = File::from(file()?);
    let Ok(_lock) = Flock::lock(file()?, FlockArg::LockExclusiveNonblock) else {
        return Ok(());
    };
    told.write_all_at(std::process::id().to_string().as_bytes(), LENGTH as u64)?;
    let own = OwnNode::of(io::stdin().as_fd().try_clone_to_owned()?)?;
    let freeze = cgroups.join("cgroup.freeze");
    // What it took to start is not needed any more.
    memory::give_back();
    // One that was killed may have stood them still.
    let mut still = fs::read_to_string(&freeze).is_ok_and(|state| state.trim() == "1");
    let mut unborn_due = Instant::now();
    // Whoever ends it removes the file first: it may not have said yet who it is.
    while told.metadata()?.nlink() > 0 {
        let now = own.get();
        let time = clock::now().0;
        let left = now.lease_until.saturating_sub(time);
        let left = Duration::from_nanos(left).min(LONGEST);
        let wanted = Told::read(&told).map_or(left.is_zero(), |how| how.wants_still(&now, time));
        if wanted != still && fs::write(&freeze, if wanted { "1" } else { "0" }).is_ok() {
            still = wanted;
            unborn_due = Instant::now();
        }
        if still && Instant::now() >= unborn_due {
            end_unborn(cgroups);
            unborn_due = Instant::now() + UNBORN;
        }
        thread::sleep(if still || wanted {
            LOOK
        } else if !left.is_zero() {
            left
        } else if now.flags & own_flag::MEMBER == 0 {
            LONGEST
        } else {
            LOOK
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_runs_needs_a_lease_of_its_own_life() {
        let own = |incarnation: u32, lease_until: u64| Own {
            incarnation,
            lease_until,
            ..Own::default()
        };
        for (told, own, still) in [
            (Told::Runs(Some(3)), own(3, 101), false),
            (Told::Runs(Some(3)), own(3, 100), true),
            (Told::Runs(Some(3)), own(3, 0), true),
            // Put out, and taken in again.
            (Told::Runs(Some(3)), own(4, 101), true),
            (Told::Runs(None), own(4, 101), true),
            (Told::Runs(None), own(0, 0), true),
            (Told::Stands, own(4, 101), false),
            (Told::Stands, own(3, 0), false),
        ] {
            assert_eq!(told.wants_still(&own, 100), still, "{told:?}, {own:?}");
        }
    }

    #[test]
    fn what_is_said_is_read() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("guard");
        let mut options = File::options();
        let options = options.read(true).write(true).create(true);
        let file = options.open(path).expect("a file");
        assert!(Told::read(&file).is_err(), "nothing was said");
        for told in [Told::Stands, Told::Runs(None), Told::Runs(Some(1))] {
            told.say(&file).expect("room");
            assert_eq!(Told::read(&file).expect("it was said"), told);
        }
    }
}
