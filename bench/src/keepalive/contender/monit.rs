//! Monit, with the shortest cycle it has: a second.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;

use super::{Contender, Daemon};
use crate::keepalive::news::News;

/// It, which finds the process by its command line.
#[derive(Debug, Default)]
pub(super) struct Monit {
    daemon: Daemon,
    program: PathBuf,
}

impl Contender for Monit {
    fn name(&self) -> String {
        "monit".to_owned()
    }

    /// A start is over for it when the program it started is; so that goes into the
    /// background.
    fn start(&mut self, folder: &Path, news: &News) -> Result<()> {
        let place = folder.display();
        self.program.clone_from(&news.program);
        let program = news.program.display();
        let config = format!(
            "set daemon 1\nset logfile {place}/log\nset pidfile {place}/pid\n\
             set idfile {place}/id\nset statefile {place}/state\n\
             check process first matching \"^{program}\"\nstart program = \"/bin/sh -c '{program} &'\"\n"
        );
        let file = folder.join("monitrc");
        fs::write(&file, config)?;
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600))?;
        let mut command = Command::new("monit");
        self.daemon
            .start(command.arg("-I").arg("-c").arg(file), "monit")
    }
}

impl Drop for Monit {
    fn drop(&mut self) {
        // First whoever would start it again.
        drop(std::mem::take(&mut self.daemon));
        let _ = Command::new("pkill")
            .arg("-9")
            .arg("-f")
            .arg(format!("^{}", self.program.display()))
            .output();
    }
}
