//! A session: waits for a connection, becomes the user whose command it is for, and has that
//! command as its child until it ends.

mod birth;
mod child;
mod environment;
mod exec;
mod hangup;
mod limits;
mod packed;
mod pty;
mod serve;
mod streams;
mod user;

use std::fs;
use std::io;
use std::process::ExitCode;

use rustix::mm::{MlockAllFlags, mlockall, munlockall};
use ssi_spawn::precedence;

#[cfg(feature = "host")]
pub(super) use self::packed::LONGEST;
use self::serve::Serve;
use super::channel::Channel;
use super::keys::End;
use super::news::News;
use super::signals;

/// The whole program: standard input is a connection to the daemon, over which at most one
/// connection to a surrogate comes.
#[must_use]
pub fn run() -> ExitCode {
    match session() {
        Ok(()) => ExitCode::SUCCESS,
        // There is nobody to tell: the surrogate sees the connection closed.
        Err(_) => ExitCode::FAILURE,
    }
}

fn session() -> io::Result<()> {
    // No terminal, no job, nobody's group: it can't fail, as it leads none.
    let _ = rustix::process::setsid();
    // What the daemon has inherited without knowing.
    // SAFETY: nothing in this process has a descriptor beyond the standard ones yet.
    unsafe { libc::close_range(3, u32::MAX, 0) };
    // The daemon shall be the last to be killed for want of memory, users' commands not.
    let _ = fs::write("/proc/self/oom_score_adj", "0");
    // All that a command may inherit; the daemon's own precedence is not for it.
    let ignored = signals::ignored_now();
    let _ = precedence::take_none();
    // What is touched for the first time later is waited for by somebody; now nobody waits.
    if mlockall(MlockAllFlags::CURRENT).is_ok() {
        let _ = munlockall();
    }
    let daemon = io::stdin();
    let Some((packed, tcp)) = packed::take(&daemon)? else {
        return Ok(());
    };
    let channel = Channel::new(tcp, End::Session, packed.secrets.as_ref())?;
    let socket = packed::path(&packed.socket);
    let news = News::new(socket, packed.from, None);
    let mut serve = Serve::new(channel, news, packed.caller.umask, ignored)?;
    // The surrogate says nothing before it has heard this. What it says then is looked at only
    // by the user whose command it is.
    serve.greet();
    serve.run(user::become_caller(&packed.caller))
}
