//! Frames from userspace into the stack, as if they had just come in.

use aya::programs::{TestRun as _, TestRunAttrs, TestRunOptions};

use super::run::{Program, context};
use super::{Net, programs};
use crate::LoadError;

impl Net {
    /// Gives a frame to `ssi_xdp` as if it came in on an interface now; what the program
    /// passes, the stack gets. Works on every interface, whatever is attached there.
    ///
    /// The first call loads the program, where that is attached nowhere: half a second.
    ///
    /// Needs kernel 5.18 (live frames). Where the program redirects, the frame arrives
    /// only if the other interface takes XDP frames; this is for frames that it passes.
    ///
    /// # Errors
    /// The kernel is too old, the frame is shorter than an Ethernet header or longer than
    /// about 3,400 bytes, there is no such interface.
    pub fn deliver(&mut self, frame: &[u8], ifindex: u32) -> Result<(), LoadError> {
        let context = context(Program::Xdp, frame.len(), ifindex);
        let mut run = TestRunOptions::new();
        run.data_in = Some(frame);
        run.ctx_in = context.as_deref();
        run.attrs = TestRunAttrs::new().xdp_live_frames(1);
        programs::xdp(&mut self.ebpf)
            .and_then(|xdp| xdp.test_run(run))
            .map(drop)
            .map_err(|error| LoadError::refused("a frame for the stack", &error))
    }
}
