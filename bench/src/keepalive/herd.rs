//! Our supervisor with many processes.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::news::{News, PATIENCE};

/// A folder with a configuration, and a cgroup.
#[derive(Debug)]
pub(super) struct Herd {
    folder: PathBuf,
    cgroup: PathBuf,
    count: u32,
}

impl Herd {
    /// `count` instances of a program.
    pub(super) fn new(folder: PathBuf, news: &News, count: u32) -> Result<Self> {
        let own = std::process::id();
        let name = folder.file_name().context("a folder has a name")?;
        let name = name.to_string_lossy();
        let cgroup = cgroup2()?.join(format!("ssi-bench-{own}-{name}"));
        fs::create_dir_all(&folder)?;
        // Whoever ran for a second is restarted at once, as the others do it.
        let config = format!(
            "[[process]]\nname = \"s\"\npath = \"{}\"\ninstances = {count}\n\
             error_limit = 1000000\nbackoff = {{ reset = 1 }}\n",
            news.program.display()
        );
        fs::write(folder.join("config.toml"), config)?;
        fs::write(folder.join("cgroup"), cgroup.to_string_lossy().as_bytes())?;
        Ok(Self {
            folder,
            cgroup,
            count,
        })
    }

    /// A supervisor, once it has taken over what there is.
    pub(super) fn supervisor(&self) -> Result<Supervisor> {
        let mut child = Command::new(std::env::current_exe()?)
            .arg("keepalive-far")
            .arg(&self.folder)
            .arg(self.count.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let said = child.stdout.take().context("it was piped")?;
        let to = child.stdin.take().context("it was piped")?;
        let mut line = String::new();
        let supervisor = Supervisor { child, to };
        BufReader::new(said).read_line(&mut line)?;
        if line != "open\n" {
            bail!("no supervisor could be started");
        }
        Ok(supervisor)
    }
}

impl Drop for Herd {
    fn drop(&mut self) {
        let _ = fs::write(self.cgroup.join("cgroup.kill"), "1");
        let end = Instant::now() + PATIENCE;
        while self.cgroup.exists() && Instant::now() < end {
            remove(&self.cgroup);
            sleep(Duration::from_millis(20));
        }
    }
}

fn remove(cgroup: &Path) {
    for entry in fs::read_dir(cgroup).into_iter().flatten().flatten() {
        let _ = fs::remove_dir(entry.path());
    }
    let _ = fs::remove_dir(cgroup);
}

/// Its process; killed when it goes.
#[derive(Debug)]
pub(super) struct Supervisor {
    child: Child,
    to: ChildStdin,
}

impl Supervisor {
    /// Has it start what it is to start.
    pub(super) fn go(&mut self) -> Result<()> {
        Ok(self.to.write_all(b"go\n")?)
    }

    /// The memory that nobody else has: what it costs. Bytes.
    pub(super) fn memory(&self) -> Result<u64> {
        let path = format!("/proc/{}/smaps_rollup", self.child.id());
        let rollup = fs::read_to_string(path)?;
        let kib = (rollup.lines())
            .filter(|line| line.starts_with("Private_Dirty:"))
            .filter_map(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok());
        Ok(kib.sum::<u64>() * 1024)
    }
}

impl Drop for Supervisor {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Where the cgroup2 file system is.
fn cgroup2() -> Result<PathBuf> {
    let mounts = fs::read_to_string("/proc/self/mounts")?;
    let mut mounts = mounts.lines().map(|line| line.split(' '));
    let found = mounts.find_map(|mut words| {
        let place = words.nth(1)?;
        (words.next()? == "cgroup2").then(|| place.into())
    });
    found.context("no cgroup2 is mounted")
}
