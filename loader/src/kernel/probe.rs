//! Small questions, each answered by trying.

use std::os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd};
use std::path::Path;

use aya::maps::MapType;
use aya::programs::{ProgramType, SchedClassifier, TcAttachType};
use aya::sys::{is_map_supported, is_program_supported};

use super::Btf;

pub(super) fn btf() -> bool {
    Path::new("/sys/kernel/btf/vmlinux").exists()
}

/// Whether there are the tracepoints of a process's life, and programs may hang on them.
///
/// A program of that type can't be loaded without a target, so its elder sister is asked,
/// which needs the same of the kernel.
pub(super) fn tracepoints() -> bool {
    let there = |btf: &Btf| {
        [
            "sched_process_fork",
            "sched_process_exec",
            "sched_process_exit",
        ]
        .iter()
        .all(|name| btf.tracepoint(name).is_some())
    };
    program(ProgramType::RawTracePoint) && Btf::of_kernel().as_ref().is_some_and(there)
}

/// Iterators over tasks (kernel 5.8) are known by the function that they call.
pub(super) fn task_iterator() -> bool {
    let there = |btf: &Btf| btf.has_function("bpf_iter_task");
    program(ProgramType::RawTracePoint) && Btf::of_kernel().as_ref().is_some_and(there)
}

/// Whether the kernel accounts for the time that tasks wait for a CPU: it says so in its
/// types, or in /proc where it has no types.
pub(super) fn run_delay() -> bool {
    Btf::of_kernel().map_or_else(
        || Path::new("/proc/self/schedstat").exists(),
        |btf| {
            btf.structure("sched_info")
                .is_some_and(|info| info.member("run_delay").is_some())
        },
    )
}

pub(super) fn program(kind: ProgramType) -> bool {
    is_program_supported(kind).unwrap_or(false)
}

pub(super) fn map(kind: MapType) -> bool {
    is_map_supported(kind).unwrap_or(false)
}

/// tcx links (kernel 6.6) come with a query that older kernels refuse.
pub(super) fn tcx() -> bool {
    SchedClassifier::query_tcx("lo", TcAttachType::Ingress).is_ok()
}

/// Whether the JIT compiles programs; without it they are interpreted, and callbacks and
/// kernel functions are refused. The sysctl is not in every network namespace, so a
/// program is loaded and looked at.
pub(super) fn jit() -> bool {
    let move_zero = libbpf_sys::bpf_insn {
        code: (libbpf_sys::BPF_ALU64 | libbpf_sys::BPF_MOV | libbpf_sys::BPF_K) as u8,
        ..Default::default()
    };
    let exit = libbpf_sys::bpf_insn {
        code: (libbpf_sys::BPF_JMP | libbpf_sys::BPF_EXIT) as u8,
        ..Default::default()
    };
    let program = [move_zero, exit];
    let mut info = libbpf_sys::bpf_prog_info::default();
    let mut size = size_of_val(&info) as u32;
    // SAFETY: valid arguments; the descriptor, if any, is ours, and the kernel writes at
    // most `size` bytes of `info`.
    unsafe {
        let fd = libbpf_sys::bpf_prog_load(
            libbpf_sys::BPF_PROG_TYPE_SOCKET_FILTER,
            c"ssi_probe".as_ptr(),
            c"GPL".as_ptr(),
            program.as_ptr(),
            program.len() as libbpf_sys::size_t,
            std::ptr::null_mut(),
        );
        if fd < 0 {
            return false;
        }
        let fd = OwnedFd::from_raw_fd(fd);
        let asked =
            libbpf_sys::bpf_prog_get_info_by_fd(fd.as_raw_fd(), &raw mut info, &raw mut size);
        asked == 0 && info.jited_prog_len > 0
    }
}

fn array(flags: u32) -> Option<OwnedFd> {
    let options = libbpf_sys::bpf_map_create_opts {
        sz: size_of::<libbpf_sys::bpf_map_create_opts>() as libbpf_sys::size_t,
        map_flags: flags,
        ..Default::default()
    };
    // SAFETY: valid arguments; the descriptor, if any, is ours.
    unsafe {
        let fd = libbpf_sys::bpf_map_create(
            libbpf_sys::BPF_MAP_TYPE_ARRAY,
            c"ssi_probe".as_ptr(),
            4,
            8,
            1,
            &raw const options,
        );
        (fd >= 0).then(|| OwnedFd::from_raw_fd(fd))
    }
}

pub(super) fn mmapable() -> bool {
    array(libbpf_sys::BPF_F_MMAPABLE).is_some()
}

pub(super) fn batches() -> bool {
    let Some(map) = array(0) else {
        return false;
    };
    let (key, value, mut count) = (0_u32, 0_u64, 1_u32);
    // SAFETY: one key and one value of the sizes the map was made with.
    let result = unsafe {
        libbpf_sys::bpf_map_update_batch(
            map.as_raw_fd(),
            (&raw const key).cast(),
            (&raw const value).cast(),
            &raw mut count,
            std::ptr::null(),
        )
    };
    result == 0
}
