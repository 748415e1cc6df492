//! Where our other programs are.

use std::path::PathBuf;

/// A program in our own directory, else wherever `PATH` has it.
pub(crate) fn beside(name: &str) -> PathBuf {
    std::env::current_exe()
        .ok()
        .and_then(|us| Some(us.parent()?.join(name)))
        .filter(|path| path.is_file())
        .unwrap_or_else(|| name.into())
}
