//! Which of the sockets that listen at the cluster's port gets a new connection: that of
//! the worker that serves its lane.

use aya_ebpf::programs::SkReuseportContext;
use ssi_abi::member::LANES;

use crate::maps::{LANE_WORKERS, LISTENERS};

/// Leaves the choice to the kernel if the worker has no socket there.
#[inline(always)]
pub fn select(ctx: &SkReuseportContext) {
    // The data begin with the TCP header, and that with the dialling end's port.
    let (start, end) = (ctx.data(), ctx.data_end());
    if start + 2 > end {
        return;
    }
    // SAFETY: checked to lie within the data.
    let port = unsafe { (start as *const [u8; 2]).read() };
    let lane = u32::from(port[1]) & (LANES - 1);
    let Some(worker) = LANE_WORKERS.get_ptr(lane) else {
        return;
    };
    // SAFETY: a live map value, read in one step.
    let worker = unsafe { worker.read() };
    // Without a socket there, the kernel spreads connections by their hash.
    let _ = LISTENERS.select_reuseport(ctx, worker);
}
