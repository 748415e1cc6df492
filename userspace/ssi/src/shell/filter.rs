//! Which system calls are not for the kernel to answer: those on numbers that no process of one
//! machine has.

use nix::libc::{self, sock_filter};

/// The first number that is no pid: the kernel's largest `pid_max`.
const PIDS: u32 = 1 << 22;

/// This machine's calls, as the kernel names them (include/uapi/linux/audit.h): the number of
/// the processor in ELF, of 64 bits, with the lowest byte first.
const HERE: Option<u32> = if cfg!(target_arch = "x86_64") {
    Some(0xc000_003e)
} else if cfg!(target_arch = "aarch64") {
    Some(0xc000_00b7)
} else if cfg!(target_arch = "riscv64") {
    Some(0xc000_00f3)
} else {
    None
};

/// Where things are in what a filter looks at (struct `seccomp_data`).
const NUMBER: u32 = 0;
const MACHINE: u32 = 4;
const FIRST: u32 = 16;
const SECOND: u32 = 24;

const LOAD: u16 = (libc::BPF_LD | libc::BPF_W | libc::BPF_ABS) as u16;
const EQUAL: u16 = (libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K) as u16;
const AT_LEAST: u16 = (libc::BPF_JMP | libc::BPF_JGE | libc::BPF_K) as u16;
const MORE: u16 = (libc::BPF_JMP | libc::BPF_JGT | libc::BPF_K) as u16;
const SKIP: u16 = (libc::BPF_JMP | libc::BPF_JA) as u16;
const RETURN: u16 = (libc::BPF_RET | libc::BPF_K) as u16;

const fn step(code: u16, k: u32) -> sock_filter {
    test(code, k, 0, 0)
}

/// Goes on so many instructions later if it is so, and if not.
const fn test(code: u16, k: u32, jt: u8, jf: u8) -> sock_filter {
    sock_filter { code, jt, jf, k }
}

/// The program, or none for a processor that it wasn't written for.
///
/// Everything that is not kill, setpriority or getpriority leaves it after three comparisons.
/// A call by another machine's numbers (a program of 32 bits) is the kernel's.
pub(super) fn program() -> Option<[sock_filter; 16]> {
    let number = |call: libc::c_long| u32::try_from(call).ok();
    Some([
        step(LOAD, MACHINE),
        test(EQUAL, HERE?, 0, 13), // 1, else to 15
        step(LOAD, NUMBER),
        test(EQUAL, number(libc::SYS_kill)?, 7, 0), // 3: to 11
        test(EQUAL, number(libc::SYS_setpriority)?, 1, 0), // 4: to 6
        test(EQUAL, number(libc::SYS_getpriority)?, 0, 9), // 5, else to 15
        step(LOAD, FIRST),
        test(EQUAL, libc::PRIO_PROCESS, 1, 0), // 7: to 9
        test(EQUAL, libc::PRIO_PGRP, 0, 6),    // 8, else to 15
        step(LOAD, SECOND),
        step(SKIP, 1),              // 10: to 12
        step(LOAD, FIRST),          // 11
        test(AT_LEAST, PIDS, 0, 2), // 12, else to 15
        // What is negative is a process group's, and counts down from 2^32.
        test(MORE, PIDS.wrapping_neg(), 1, 0),      // 13: to 15
        step(RETURN, libc::SECCOMP_RET_USER_NOTIF), // 14
        step(RETURN, libc::SECCOMP_RET_ALLOW),      // 15
    ])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Does what the kernel would.
    fn run(machine: u32, number: u32, args: [u32; 6]) -> u32 {
        let program = program().expect("for this processor");
        let (mut at, mut value) = (0, 0);
        loop {
            let sock_filter { code, jt, jf, k } = program[at];
            at += 1;
            let jump = |so: bool| usize::from(if so { jt } else { jf });
            match code {
                LOAD => {
                    value = match k {
                        NUMBER => number,
                        MACHINE => machine,
                        _ => args[(k as usize - 16) / 8],
                    }
                }
                EQUAL => at += jump(value == k),
                AT_LEAST => at += jump(value >= k),
                MORE => at += jump(value > k),
                SKIP => at += k as usize,
                RETURN => return k,
                other => panic!("no such instruction: {other}"),
            }
        }
    }

    fn asked(call: libc::c_long, args: [i32; 6]) -> bool {
        let number = u32::try_from(call).expect("a call");
        let machine = HERE.expect("this processor");
        run(machine, number, args.map(i32::cast_unsigned)) == libc::SECCOMP_RET_USER_NOTIF
    }

    proptest! {
        #[test]
        fn numbers_of_the_cluster_are_asked_about_and_no_others(
            number: i32, which in 0_i32..4, small in -0x40_0000_i32..0x40_0000,
        ) {
            let of_cluster = number.unsigned_abs() >= PIDS;
            prop_assert_eq!(asked(libc::SYS_kill, [number, 9, 0, 0, 0, 0]), of_cluster);
            prop_assert!(!asked(libc::SYS_kill, [small, number, number, 0, 0, 0]));
            for call in [libc::SYS_setpriority, libc::SYS_getpriority] {
                // A user may have any number.
                let wanted = which < 2 && of_cluster;
                prop_assert_eq!(asked(call, [which, number, 0, 0, 0, 0]), wanted);
                prop_assert!(!asked(call, [which, small, number, 0, 0, 0]));
            }
        }

        #[test]
        fn no_other_call_is(call in 0_u32..600, args: [u32; 6], machine: u32) {
            let calls = [libc::SYS_kill, libc::SYS_setpriority, libc::SYS_getpriority];
            let here = HERE.expect("this processor");
            if !calls.contains(&call.into()) {
                prop_assert_eq!(run(here, call, args), libc::SECCOMP_RET_ALLOW);
            }
            if machine != here {
                prop_assert_eq!(run(machine, call, args), libc::SECCOMP_RET_ALLOW);
            }
        }
    }
}
