//! Runs a program on a packet of ours, without any interface (`BPF_PROG_TEST_RUN`).

use std::time::Duration;

use aya::programs::{ProgramError, TestRun as _, TestRunOptions};

use super::{Net, programs};
use crate::LoadError;

/// A program of the packet path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Program {
    /// `ssi_xdp`.
    Xdp,
    /// `ssi_tc`.
    Tc,
    /// `ssi_egress`.
    Egress,
}

impl Program {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Xdp => "ssi_xdp",
            Self::Tc => "ssi_tc",
            Self::Egress => "ssi_egress",
        }
    }
}

/// How to run it.
#[derive(Clone, Copy, Debug)]
pub struct TestOptions {
    /// How many times, at least 1. The packet is not restored in between.
    pub repeat: u32,
    /// Interface the packet seems to come in on; 0: the kernel's choice (the loopback).
    pub ifindex: u32,
}

impl Default for TestOptions {
    fn default() -> Self {
        Self {
            repeat: 1,
            ifindex: 0,
        }
    }
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TestOutcome {
    /// The program's verdict.
    pub verdict: u32,
    /// The packet afterwards.
    pub packet: Vec<u8>,
    /// tc: the priority that the packet has afterwards; XDP knows none: 0.
    pub priority: u32,
    /// Mean time of a run; the kernel's resolution is 1 ns.
    pub duration: Duration,
}

/// Larger than any packet that comes out.
const ROOM: usize = 1 << 16;

/// `struct xdp_md` of the kernel's `uapi/linux/bpf.h`.
const XDP_MD: usize = 24;
const XDP_MD_DATA_END: usize = 4;
const XDP_MD_INGRESS: usize = 12;
/// `struct __sk_buff`, its `priority` and its `ifindex`.
const SK_BUFF: usize = 192;
const SK_BUFF_PRIORITY: usize = 32;
const SK_BUFF_IFINDEX: usize = 40;

impl Net {
    /// Runs a program on a packet, from its Ethernet header on.
    ///
    /// # Errors
    /// The kernel refused the run: a packet shorter than an Ethernet header, an interface
    /// that isn't there.
    pub fn test_run(
        &mut self,
        program: Program,
        packet: &[u8],
        options: TestOptions,
    ) -> Result<TestOutcome, LoadError> {
        let mut out = vec![0; ROOM];
        let context = context(program, packet.len(), options.ifindex);
        let mut run = TestRunOptions::new();
        run.data_in = Some(packet);
        run.data_out = Some(&mut out);
        run.ctx_in = context.as_deref();
        let mut after = [0; SK_BUFF];
        if program != Program::Xdp {
            run.ctx_out = Some(&mut after);
        }
        run.repeat = options.repeat;
        let refused = |error: ProgramError| {
            LoadError::refused(format!("a test run of {}", program.name()), &error)
        };
        let result = match program {
            Program::Xdp => programs::xdp(&mut self.ebpf).and_then(|xdp| xdp.test_run(run)),
            Program::Tc | Program::Egress => {
                programs::tc(&mut self.ebpf, program).and_then(|tc| tc.test_run(run))
            }
        }
        .map_err(refused)?;
        out.truncate(result.data_size_out as usize);
        Ok(TestOutcome {
            verdict: result.return_value,
            packet: out,
            priority: u32::from_ne_bytes(
                *after[SK_BUFF_PRIORITY..]
                    .first_chunk()
                    .expect("the context is longer"),
            ),
            duration: result.duration,
        })
    }
}

pub(super) fn context(program: Program, len: usize, ifindex: u32) -> Option<Vec<u8>> {
    if ifindex == 0 {
        return None;
    }
    let (size, place) = match program {
        Program::Xdp => (XDP_MD, XDP_MD_INGRESS),
        Program::Tc | Program::Egress => (SK_BUFF, SK_BUFF_IFINDEX),
    };
    let mut context = vec![0; size];
    context[place..place + 4].copy_from_slice(&ifindex.to_ne_bytes());
    if program == Program::Xdp {
        let len = u32::try_from(len).unwrap_or(u32::MAX);
        context[XDP_MD_DATA_END..XDP_MD_DATA_END + 4].copy_from_slice(&len.to_ne_bytes());
    }
    Some(context)
}
