//! The guard: a process of its own that stands everything still when the lease is over and
//! `ssid` hasn't done so: because there is none, because it is stopped, or because it is late.
//!
//! The kernel renews the lease while no `ssid` runs, and shuts a node out whose lease is over;
//! but it stops no process. What may run on another node by then must not go on here.
//!
//! `ssid` and its guard have a file in common. Its first byte says whether `ssid` has stood
//! still, one by one, all that needs a lease ([`STANDS`]): from then on until it lets them go
//! on, the guard has nothing to do. It is a write(2) on one side and a read(2) on the other,
//! and stays as it is when `ssid` ends.

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
use ssi_abi::member::own_flag;
use ssi_clms::runner::clock;
use ssi_loader::map::OwnNode;

use crate::config::Config;
use crate::memory;

/// What the program is told to be the guard, before the folder of the cgroups.
const ARGUMENT: &str = "--be-the-guard-of";
/// In the file: what needs a lease stands still, each instance by itself.
const STANDS: u8 = b'1';
/// In the file: it may run as long as there is a lease.
const RUNS: u8 = b'0';
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
    /// Has a byte that says how things stand, its pid, and its lock.
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
        say(&open, old.as_ref().is_some_and(stands))?;
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

    /// Tells it that each instance that needs a lease stands still by itself from now on; or,
    /// before the first of them goes on, that this is over.
    pub(super) fn tell(&self, stand: bool) {
        let told = self.open.as_ref().map(|open| say(open, stand));
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
        self.tell(true);
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
    file.seek(SeekFrom::Start(1)).ok()?;
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

fn say(file: &File, stand: bool) -> io::Result<()> {
    file.write_all_at(&[if stand { STANDS } else { RUNS }], 0)
}

/// Whether what needs a lease stands still without the guard.
fn stands(file: &File) -> bool {
    let mut byte = [RUNS];
    file.read_exact_at(&mut byte, 0).is_ok() && byte == [STANDS]
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
    told.write_all_at(format!(" {}", std::process::id()).as_bytes(), 1)?;
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
        let left = now.lease_until.saturating_sub(clock::now().0);
        let left = Duration::from_nanos(left).min(LONGEST);
        let stands = stands(&told);
        // A lease that there is was given to this life: nobody has what runs here.
        let wanted = left.is_zero() && !stands;
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
