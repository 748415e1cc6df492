//! Supervisor, in Python.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::Result;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::{Contender, Daemon};
use crate::keepalive::news::News;

/// supervisord with one program.
#[derive(Debug, Default)]
pub(super) struct Supervisord(Daemon);

impl Contender for Supervisord {
    fn name(&self) -> String {
        "supervisord".to_owned()
    }

    fn start(&mut self, folder: &Path, news: &News) -> Result<()> {
        let place = folder.display();
        let config = format!(
            "[supervisord]\nnodaemon=true\nuser=root\nlogfile={place}/log\npidfile={place}/pid\n\
             [program:first]\ncommand={}\nautorestart=true\nstartsecs=0\n\
             startretries=1000000\n",
            news.program.display()
        );
        let file = folder.join("supervisord.conf");
        fs::write(&file, config)?;
        let mut command = Command::new("supervisord");
        self.0.start(command.arg("-c").arg(file), "supervisor")
    }
}

impl Drop for Supervisord {
    fn drop(&mut self) {
        // It ends what it supervises.
        if let Some(mut child) = self.0.0.take() {
            let pid = Pid::from_raw(child.id().cast_signed());
            let _ = kill(pid, Signal::SIGTERM);
            let _ = child.wait();
        }
    }
}
