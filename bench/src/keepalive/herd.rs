//! Our supervisor with many processes.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};

use anyhow::{Context, Result, bail};
use ssi_keepalive::runner::end_all;
use ssi_vproc::procfs::mount_point;

use super::news::News;

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
        let cgroup2 = mount_point(&fs::read("/proc/self/mountinfo")?);
        let cgroup2 = cgroup2.context("no cgroup2 is mounted")?;
        let cgroup = cgroup2.join(format!("ssi-bench-{own}-{name}"));
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
        if let Err(error) = end_all(&self.cgroup) {
            eprintln!("ssi-bench: {}: {error}", self.cgroup.display());
        }
    }
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
