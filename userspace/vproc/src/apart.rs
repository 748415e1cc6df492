//! Work that is done with less rights than this process has.

use std::io;
use std::sync::OnceLock;
use std::thread;

use rustix::process::DumpableBehavior;

/// Does it in a thread of its own, which may lay down rights: they are each thread's own to the
/// kernel, and this one ends with the work.
///
/// # Errors
/// The work's own; there can't be another thread.
pub(crate) fn apart<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    // Another user in any thread makes the whole process one that leaves no core. What it was
    // before the first, whoever is at work now.
    static DUMPS: OnceLock<Option<DumpableBehavior>> = OnceLock::new();
    let dumps = *DUMPS.get_or_init(|| rustix::process::dumpable_behavior().ok());
    let thread = thread::Builder::new()
        .name("apart".to_owned())
        .spawn(work)?;
    let ended = |_| io::Error::other("the thread that did it ended");
    let done = thread.join().map_err(ended)?;
    if dumps == Some(DumpableBehavior::Dumpable) {
        rustix::process::set_dumpable_behavior(DumpableBehavior::Dumpable)?;
    }
    done
}
