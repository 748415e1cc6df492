//! Programs of operators: they may take too long, and start others.

use std::io;
use std::process::Output;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::process::Command;
use tokio::time::timeout;

/// Runs a program to its end, as the leader of a process group. None: it took longer than that,
/// and was killed with all that it has started; so it is if this is dropped.
///
/// # Errors
/// It can't be run.
pub async fn run_within(command: &mut Command, patience: Duration) -> io::Result<Option<Output>> {
    let child = command.process_group(0).spawn()?;
    let mut group = Group(child.id());
    let Ok(ended) = timeout(patience, child.wait_with_output()).await else {
        return Ok(None);
    };
    group.0 = None;
    ended.map(Some)
}

/// A program that nobody waits for any longer, and all that it has started: what a shell runs
/// ends with it.
struct Group(Option<u32>);

impl Drop for Group {
    fn drop(&mut self) {
        let leader = self.0.and_then(|pid| i32::try_from(pid).ok());
        if let Some(leader) = leader.and_then(Pid::from_raw) {
            // Nobody is left in it, at best.
            let _ = kill_process_group(leader, Signal::KILL);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::process::Stdio;

    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", script]).stdout(Stdio::piped());
        command
    }

    #[tokio::test]
    async fn what_takes_too_long_ends_with_all_that_it_has_started() {
        let patience = Duration::from_secs(20);
        let said = run_within(&mut shell("echo here"), patience).await.unwrap();
        assert_eq!(said.unwrap().stdout, b"here\n");
        let written = tempfile::NamedTempFile::new().unwrap();
        let path = written.path().display();
        let slow = format!("sleep 60 & echo $! >{path}; wait");
        let said = run_within(&mut shell(&slow), Duration::from_millis(500)).await;
        assert!(said.unwrap().is_none());
        let left = std::fs::read_to_string(written.path()).unwrap();
        let left = format!("/proc/{}/cmdline", left.trim());
        // Whoever has ended has none, even before its parent has heard of it.
        while std::fs::read(&left).is_ok_and(|line| !line.is_empty()) {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let none = run_within(&mut Command::new("/nonexistent"), patience).await;
        assert_eq!(none.unwrap_err().kind(), io::ErrorKind::NotFound);
    }
}
