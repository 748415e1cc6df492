//! A session: waits for a connection, becomes the user whose command it is for, and has that
//! command as its child until it ends.

mod child;
mod environment;
mod hangup;
mod packed;
mod pty;
mod serve;
mod streams;
mod user;

use std::fs;
use std::io;
use std::process::ExitCode;

use self::serve::Serve;
use super::channel::Channel;
use super::keys::Key;
use super::news::News;

pub(super) use self::packed::hand_over;

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
    let daemon = io::stdin();
    let Some((packed, tcp)) = packed::take(&daemon)? else {
        return Ok(());
    };
    let order = &packed.order;
    // Before anything that it says is looked at.
    let became = user::become_caller(&order.caller);
    let own = packed.own.as_deref().map(Key::of).transpose()?;
    let channel = Channel::to_surrogate(tcp, own.as_ref().zip(order.key.as_deref()))?;
    let socket = packed::path(&packed.socket);
    let news = News::new(socket, order.from, None);
    Serve::new(channel, news, order.caller.umask, became)?.run()
}
