//! s6: one `s6-supervise` for each service.

use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;

use super::{Contender, Daemon};
use crate::keepalive::news::News;

/// It, with the program itself as its `run`: no shell.
#[derive(Debug, Default)]
pub(super) struct S6 {
    daemon: Daemon,
    folder: PathBuf,
}

impl Contender for S6 {
    fn name(&self) -> String {
        "s6".to_owned()
    }

    fn start(&mut self, folder: &Path, news: &News) -> Result<()> {
        self.folder = folder.join("service");
        std::fs::create_dir(&self.folder)?;
        symlink(&news.program, self.folder.join("run"))?;
        self.daemon
            .start(Command::new("s6-supervise").arg(&self.folder), "s6")
    }
}

impl Drop for S6 {
    fn drop(&mut self) {
        // Down, kill what runs, exit.
        let _ = Command::new("s6-svc")
            .args(["-d", "-k", "-x"])
            .arg(&self.folder)
            .output();
        std::thread::sleep(std::time::Duration::from_millis(200));
    }
}
