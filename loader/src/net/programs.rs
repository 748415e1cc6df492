//! The programs. Each is loaded when it is first needed: the verifier takes half a second of a
//! processor for either of the two that balance, and a node seldom needs both.

use aya::Ebpf;
use aya::programs::{ProgramError, SchedClassifier, Xdp};

use super::Program;
use crate::object;

/// The one on XDP.
pub(super) fn xdp(ebpf: &mut Ebpf) -> Result<&mut Xdp, ProgramError> {
    let program = object::program::<Xdp>(ebpf, Program::Xdp.name())?;
    if program.fd().is_err() {
        program.load()?;
    }
    Ok(program)
}

/// One of those on tc.
pub(super) fn tc(ebpf: &mut Ebpf, which: Program) -> Result<&mut SchedClassifier, ProgramError> {
    let program = object::program::<SchedClassifier>(ebpf, which.name())?;
    if program.fd().is_err() {
        program.load()?;
    }
    Ok(program)
}
