//! Where the program `ssi` is, whose `run` is the surrogate.

use std::env;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

/// Where it is installed, if no folder of `PATH` has it.
const USUAL: [&str; 2] = ["/usr/bin", "/usr/local/bin"];

/// `SSI_PROGRAM`, or the first `ssi` of `PATH`, or that of the usual folders.
pub(crate) fn ssi() -> PathBuf {
    if let Some(named) = env::var_os("SSI_PROGRAM").filter(|path| !path.is_empty()) {
        return named.into();
    }
    let path = env::var_os("PATH").unwrap_or_default();
    let folders = env::split_paths(&path).chain(USUAL.map(PathBuf::from));
    let mut places = folders.map(|folder| folder.join("ssi"));
    places
        .find(|place| is_program(place))
        .unwrap_or_else(|| "ssi".into())
}

fn is_program(path: &Path) -> bool {
    path.metadata()
        .is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
}
