//! Which signals have to be made as a program expects them: those with handlers of ours, and
//! those that are ignored, which execve(2) would leave so.

use std::ptr;
use std::sync::OnceLock;

use libc::c_int;

/// All of them.
pub(super) fn all() -> &'static [c_int] {
    static ALL: OnceLock<Vec<c_int>> = OnceLock::new();
    ALL.get_or_init(|| (1..=libc::SIGRTMAX()).collect())
}

/// Those that were ignored here when this was first asked, SIGPIPE among them: what is left to
/// do where the kernel takes care of handlers (`CLONE_CLEAR_SIGHAND`).
pub(super) fn ignored() -> &'static [c_int] {
    static IGNORED: OnceLock<Vec<c_int>> = OnceLock::new();
    IGNORED.get_or_init(|| all().iter().copied().filter(|s| is_ignored(*s)).collect())
}

fn is_ignored(signal: c_int) -> bool {
    // SAFETY: all zeros is a sigaction, to be written over; nothing is changed.
    let action = unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        let asked = libc::sigaction(signal, ptr::null(), &raw mut action);
        (asked == 0).then_some(action.sa_sigaction)
    };
    action == Some(libc::SIG_IGN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rust_ignores_pipes() {
        assert!(ignored().contains(&libc::SIGPIPE));
        assert!(!ignored().contains(&libc::SIGSEGV));
    }
}
