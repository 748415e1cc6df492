//! Many real processes that do nothing.

use std::io::{self, Read as _, Write as _};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, bail};

/// They live until this is dropped.
#[derive(Debug)]
pub(super) struct Herd(Child);

impl Herd {
    /// They are forked by a process of their own, which is small and has one thread.
    pub(super) fn start(count: usize) -> Result<Self> {
        let mut leader = Command::new(std::env::current_exe()?)
            .args(["herd", &count.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot start the herd")?;
        let mut ready = leader.stdout.take().context("it was piped")?;
        let herd = Self(leader);
        ready
            .read_exact(&mut [0])
            .with_context(|| format!("cannot fork {count} processes; see above"))?;
        Ok(herd)
    }
}

impl Drop for Herd {
    fn drop(&mut self) {
        // The end of its input tells the leader to go.
        drop(self.0.stdin.take());
        let _ = self.0.wait();
    }
}

/// Forks so many processes, and kills them at the end of its input.
pub(crate) fn lead(count: usize) -> Result<()> {
    let mut herd = Vec::with_capacity(count);
    let mut failure = None;
    for _ in 0..count {
        // SAFETY: this process has one thread, and the child calls nothing but the kernel.
        match unsafe { libc::fork() } {
            // SAFETY: as said. Whatever becomes of the leader, they go with it.
            0 => unsafe {
                libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
                loop {
                    libc::pause();
                }
            },
            pid if pid > 0 => herd.push(pid),
            _ => {
                failure = Some(io::Error::last_os_error());
                break;
            }
        }
    }
    if failure.is_none() {
        let mut out = io::stdout();
        out.write_all(b".").and_then(|()| out.flush())?;
        io::stdin().read_to_end(&mut Vec::new())?;
    }
    for pid in herd {
        // SAFETY: our own child, which nobody has waited for.
        unsafe {
            libc::kill(pid, libc::SIGKILL);
            libc::waitpid(pid, std::ptr::null_mut(), 0);
        }
    }
    match failure {
        Some(error) => bail!("fork: {error}"),
        None => Ok(()),
    }
}
