//! What a process writes, line by line to systemd's journal.
//!
//! As with a file, nobody stands between: the process has the connection itself, and the
//! journal takes each line for itself. So nothing is lost while no supervisor runs; but
//! whoever writes while there is no journal any more gets SIGPIPE, which is why it is asked
//! for.

use std::io::{self, Write as _};
use std::net::Shutdown;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;

use crate::core::Id;

/// Where the journal listens (systemd-journald(8)).
const SOCKET: &str = "/run/systemd/journal/stdout";

/// What is said first, as sd_journal_stream_fd(3) does: for whom the lines are, no unit's name,
/// the priority of lines (6, "info"), that they may begin with one of their own ("<3>"), and
/// to whom else they go: nobody, as the journal's own configuration has it.
fn greeting(id: &Id) -> String {
    format!("{}\n\n6\n1\n0\n0\n0\n", id.process)
}

/// A connection for an instance's lines; none: this machine has no journal.
pub(super) fn connect(id: &Id) -> io::Result<Option<OwnedFd>> {
    let mut stream = match UnixStream::connect(SOCKET) {
        Err(error) if is_absent(&error) => return Ok(None),
        connected => connected?,
    };
    stream.shutdown(Shutdown::Read)?;
    stream.write_all(greeting(id).as_bytes())?;
    Ok(Some(stream.into()))
}

fn is_absent(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused
    )
}

/// What stands in the log file then.
pub(super) fn note(id: &Id) -> String {
    format!(
        "what it writes goes to the journal: journalctl -t {}\n",
        id.process
    )
}
