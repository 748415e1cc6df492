//! The smallest program that can be supervised: it says when its first instruction ran, and
//! then waits for signals.
//!
//! It is a file of a few hundred bytes without libraries, so that what is measured is the
//! supervisor. Where it says it stands in it: supervisors needn't give it arguments.

use std::ffi::CString;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use anyhow::{Result, bail};

#[cfg(target_arch = "x86_64")]
std::arch::global_asm!(
    ".pushsection .rodata.ssi_bench_first, \"a\"",
    "ssi_bench_first:",
    "sub rsp, 32",
    "mov eax, 228", // clock_gettime
    "mov edi, 1",   // CLOCK_MONOTONIC
    "lea rsi, [rsp + 8]",
    "syscall",
    "mov eax, 39", // getpid
    "syscall",
    "mov [rsp], rax",
    "mov eax, 2", // open
    "lea rdi, [rip + ssi_bench_first_end]",
    "mov esi, 1", // O_WRONLY
    "xor edx, edx",
    "syscall",
    "mov r12d, eax",
    "mov edi, eax",
    "mov eax, 1", // write
    "mov rsi, rsp",
    "mov edx, 24",
    "syscall",
    "mov edi, r12d",
    "mov eax, 3", // close
    "syscall",
    "2:",
    "mov eax, 34", // pause
    "syscall",
    "jmp 2b",
    "ssi_bench_first_end:",
    ".popsection",
);

#[cfg(target_arch = "x86_64")]
unsafe extern "C" {
    static ssi_bench_first: u8;
    static ssi_bench_first_end: u8;
}

#[cfg(target_arch = "x86_64")]
fn code() -> Option<&'static [u8]> {
    // SAFETY: the two symbols are the ends of the piece of read-only data above.
    Some(unsafe {
        let (begin, end) = (&raw const ssi_bench_first, &raw const ssi_bench_first_end);
        std::slice::from_raw_parts(begin, end as usize - begin as usize)
    })
}

#[cfg(not(target_arch = "x86_64"))]
fn code() -> Option<&'static [u8]> {
    None
}

/// Where the file is in the memory of the process: anywhere but at 0.
const BASE: u64 = 0x40_0000;
const EHDR: u64 = 64;
const PHDR: u64 = 56;

/// Writes the program, which says what it has to say into `pipe`.
pub(super) fn write(path: &Path, pipe: &Path) -> Result<()> {
    let Some(code) = code() else {
        bail!("there is no such program for this processor yet");
    };
    let pipe = CString::new(pipe.as_os_str().as_bytes())?;
    let size = EHDR + PHDR + (code.len() + pipe.as_bytes_with_nul().len()) as u64;
    // An ELF header (elf(5)): 64 bits, little-endian, an executable for x86-64.
    let mut file = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0".to_vec();
    half(&mut file, &[2, 62]);
    word(&mut file, &[1]);
    long(&mut file, &[BASE + EHDR + PHDR, EHDR, 0]);
    word(&mut file, &[0]);
    half(&mut file, &[EHDR as u16, PHDR as u16, 1, 0, 0, 0]);
    // One segment, the whole file, to be read and executed.
    word(&mut file, &[1, 5]);
    long(&mut file, &[0, BASE, BASE, size, size, 4096]);
    file.extend_from_slice(code);
    file.extend_from_slice(pipe.as_bytes_with_nul());
    fs::write(path, file)?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o755))?;
    Ok(())
}

fn half(file: &mut Vec<u8>, values: &[u16]) {
    file.extend(values.iter().flat_map(|value| value.to_le_bytes()));
}

fn word(file: &mut Vec<u8>, values: &[u32]) {
    file.extend(values.iter().flat_map(|value| value.to_le_bytes()));
}

fn long(file: &mut Vec<u8>, values: &[u64]) {
    file.extend(values.iter().flat_map(|value| value.to_le_bytes()));
}
