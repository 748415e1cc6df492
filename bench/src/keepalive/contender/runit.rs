//! runit: one `runsv` for each service.

use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;

use super::{Contender, Daemon};
use crate::keepalive::news::News;

/// It, with the program itself as its `run`: no shell.
#[derive(Debug, Default)]
pub(super) struct Runit {
    daemon: Daemon,
    folder: PathBuf,
}

impl Contender for Runit {
    fn name(&self) -> String {
        "runit".to_owned()
    }

    fn start(&mut self, folder: &Path, news: &News) -> Result<()> {
        self.folder = folder.join("sv");
        std::fs::create_dir(&self.folder)?;
        symlink(&news.program, self.folder.join("run"))?;
        self.daemon
            .start(Command::new("runsv").arg(&self.folder), "runit")
    }
}

impl Drop for Runit {
    fn drop(&mut self) {
        let _ = Command::new("sv")
            .args(["-w", "3", "force-shutdown"])
            .arg(&self.folder)
            .output();
    }
}
