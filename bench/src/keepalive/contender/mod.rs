//! Who restarts processes.

mod floor;
mod monit;
mod ours;
mod runit;
mod s6;
mod supervisord;
mod systemd;

use std::fmt::Debug;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result};

use super::news::News;

/// Somebody who keeps one process alive, until it is dropped.
pub(super) trait Contender: Debug {
    fn name(&self) -> String;

    /// Begins to, with files in a folder of its own.
    fn start(&mut self, folder: &Path, news: &News) -> Result<()>;

    /// The number here of a process that has `pid` where it runs.
    fn outside(&self, pid: i32) -> Result<i32> {
        Ok(pid)
    }
}

/// The floor, we, and the others.
pub(super) fn all(alone: bool) -> Result<Vec<Box<dyn Contender>>> {
    let mut all: Vec<Box<dyn Contender>> = vec![
        Box::new(floor::Floor::default()),
        Box::new(ours::Ours::default()),
    ];
    if !alone {
        all.push(Box::new(runit::Runit::default()));
        all.push(Box::new(s6::S6::default()));
        all.push(Box::new(systemd::Systemd::default()));
        all.push(Box::new(supervisord::Supervisord::default()));
        all.push(Box::new(monit::Monit::default()));
    }
    Ok(all)
}

/// A supervisor's own process, which is ended together with what it supervises.
#[derive(Debug, Default)]
struct Daemon(Option<Child>);

impl Daemon {
    fn start(&mut self, command: &mut Command, package: &str) -> Result<()> {
        let quiet = command.stdin(Stdio::null()).stdout(Stdio::null());
        let child = quiet.stderr(Stdio::null()).spawn();
        let program = command.get_program().to_string_lossy().into_owned();
        self.0 = Some(child.with_context(|| {
            format!("{program} (Debian package {package}) can't be started; `make toolchain` installs it")
        })?);
        Ok(())
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        if let Some(mut child) = self.0.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
