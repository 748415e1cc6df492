//! Processes that compute for nothing.

use std::process::{Child, Command, Stdio};
use std::thread::available_parallelism;

/// They end when this is dropped.
pub(crate) struct Hogs(Vec<Child>);

impl Hogs {
    /// So many for each CPU.
    pub(crate) fn start(per_core: usize) -> Self {
        let cores = available_parallelism().map_or(1, std::num::NonZero::get);
        let hog = || {
            // They end with this test, however that ends.
            let mut hog = Command::new("setpriv");
            hog.args(["--pdeathsig", "KILL", "sh", "-c", "while :; do :; done"]);
            hog.stdin(Stdio::null())
                .spawn()
                .expect("util-linux has setpriv")
        };
        Self((0..per_core * cores).map(|_| hog()).collect())
    }
}

impl Drop for Hogs {
    fn drop(&mut self) {
        for hog in &mut self.0 {
            // One that has ended is what is wanted.
            let _ = hog.kill();
            let _ = hog.wait();
        }
    }
}
