use std::io;
use std::os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd};

use libbpf_sys::{bpf_insn, bpf_prog_load_opts, bpf_test_run_opts};

use crate::LoadError;

/// The kernel's clock as the packet path reads it. No clock that userspace can read keeps
/// step with it for long, so a program of two instructions is run to tell it.
#[derive(Debug)]
pub struct Jiffies(OwnedFd);

/// `BPF_JMP | BPF_CALL` and `BPF_JMP | BPF_EXIT` of the kernel's `uapi/linux/bpf.h`.
const CALL: u8 = 0x85;
const EXIT: u8 = 0x95;
/// `BPF_FUNC_jiffies64` (kernel 5.6).
const JIFFIES64: i32 = 118;

impl Jiffies {
    /// Loads the program.
    ///
    /// # Errors
    /// The kernel refused it: no rights, most likely.
    pub fn open() -> Result<Self, LoadError> {
        let call = bpf_insn {
            code: CALL,
            imm: JIFFIES64,
            ..Default::default()
        };
        let exit = bpf_insn {
            code: EXIT,
            ..Default::default()
        };
        let program = [call, exit];
        let mut options = bpf_prog_load_opts {
            sz: size_of::<bpf_prog_load_opts>() as libbpf_sys::size_t,
            ..Default::default()
        };
        // SAFETY: valid arguments; the descriptor, if any, is ours.
        unsafe {
            let fd = libbpf_sys::bpf_prog_load(
                libbpf_sys::BPF_PROG_TYPE_SCHED_CLS,
                c"ssi_jiffies".as_ptr(),
                c"Dual MIT/GPL".as_ptr(),
                program.as_ptr(),
                program.len() as libbpf_sys::size_t,
                &raw mut options,
            );
            if fd < 0 {
                let error = io::Error::from_raw_os_error(-fd);
                return Err(LoadError::refused("program ssi_jiffies", &error));
            }
            Ok(Self(OwnedFd::from_raw_fd(fd)))
        }
    }

    /// The low 32 bits of `jiffies_64`, now. A few microseconds.
    ///
    /// # Errors
    /// The kernel refused the run.
    pub fn now(&self) -> Result<u32, LoadError> {
        // The smallest frame that a run accepts: an Ethernet header.
        let frame = [0_u8; 14];
        let mut run = bpf_test_run_opts {
            sz: size_of::<bpf_test_run_opts>() as libbpf_sys::size_t,
            data_in: frame.as_ptr().cast(),
            data_size_in: frame.len() as u32,
            repeat: 1,
            ..Default::default()
        };
        // SAFETY: `run` points to a frame of the given size, which outlives the call.
        let result =
            unsafe { libbpf_sys::bpf_prog_test_run_opts(self.0.as_raw_fd(), &raw mut run) };
        if result < 0 {
            let error = io::Error::from_raw_os_error(-result);
            return Err(LoadError::refused("a run of ssi_jiffies", &error));
        }
        Ok(run.retval)
    }
}
