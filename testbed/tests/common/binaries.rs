//! Where the programs under test are.

use std::env;
use std::path::{Path, PathBuf};

/// A program of ours: from `SSI_BIN_DIR` (what `make test` built), else from the build that
/// this test belongs to.
pub fn path(name: &str) -> PathBuf {
    env::var_os("SSI_BIN_DIR").map_or_else(
        || Path::new(env!("CARGO_BIN_EXE_ssi-testbed")).with_file_name(name),
        |folder| PathBuf::from(folder).join(name),
    )
}
