use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use ssi_abi::proc::{COMM, task_state};

/// Which process: a pid is used again, a pid and its start are not.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize,
)]
pub struct Id {
    /// Its number in this node's pid namespace.
    pub pid: u32,
    /// When it was forked: nanoseconds since boot, suspension included. Exec does not change
    /// it. From /proc it is rounded down to a clock tick (10 ms).
    pub start: u64,
}

/// What a process does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// R: runs, or waits for a processor.
    #[default]
    Running,
    /// S: sleeps; a signal wakes it.
    Sleeping,
    /// D: waits, for a disk most likely; nothing else wakes it.
    Waiting,
    /// T: stopped by job control.
    Stopped,
    /// t: stopped by a tracer.
    Traced,
    /// Z: has ended, and its parent has not asked yet.
    Zombie,
    /// X: has ended.
    Dead,
    /// P: a parked thread of the kernel.
    Parked,
    /// I: a thread of the kernel without work.
    Idle,
}

impl State {
    /// From the kernel's bits, by the rules that /proc goes by (`task_state_index` of
    /// `include/linux/sched.h`: the highest bit counts).
    #[must_use]
    pub fn of_bits(bits: u32) -> Self {
        use task_state::*;
        let idle = UNINTERRUPTIBLE | NO_LOAD;
        let ended = EXIT_DEAD | EXIT_ZOMBIE;
        let has = |bit| bits & bit != 0;
        match () {
            () if bits & idle == idle && !has(ended) => Self::Idle,
            () if has(PARKED) => Self::Parked,
            () if has(EXIT_ZOMBIE) => Self::Zombie,
            () if has(EXIT_DEAD) => Self::Dead,
            () if has(TRACED) => Self::Traced,
            () if has(STOPPED) => Self::Stopped,
            () if has(UNINTERRUPTIBLE | RT_LOCK_WAIT) => Self::Waiting,
            () if has(INTERRUPTIBLE) => Self::Sleeping,
            () => Self::Running,
        }
    }

    /// From the letter that /proc and ps use.
    #[must_use]
    pub fn of_letter(letter: u8) -> Option<Self> {
        Some(match letter {
            b'R' => Self::Running,
            b'S' => Self::Sleeping,
            b'D' => Self::Waiting,
            b'T' => Self::Stopped,
            b't' => Self::Traced,
            b'Z' => Self::Zombie,
            b'X' => Self::Dead,
            b'P' => Self::Parked,
            b'I' => Self::Idle,
            _ => return None,
        })
    }

    /// The letter.
    #[must_use]
    pub fn letter(self) -> char {
        match self {
            Self::Running => 'R',
            Self::Sleeping => 'S',
            Self::Waiting => 'D',
            Self::Stopped => 'T',
            Self::Traced => 't',
            Self::Zombie => 'Z',
            Self::Dead => 'X',
            Self::Parked => 'P',
            Self::Idle => 'I',
        }
    }
}

/// A program's name as the kernel keeps it: 15 bytes, any but zero.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Comm([u8; COMM]);

impl Comm {
    /// The first 15 bytes, up to a zero.
    #[must_use]
    pub fn new(name: &[u8]) -> Self {
        let mut bytes = [0; COMM];
        let name = name.iter().take(COMM - 1).take_while(|byte| **byte != 0);
        for (to, from) in bytes.iter_mut().zip(name) {
            *to = *from;
        }
        Self(bytes)
    }

    /// Without the ending zero.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        let end = self.0.iter().position(|byte| *byte == 0);
        &self.0[..end.unwrap_or(COMM)]
    }
}

impl fmt::Display for Comm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&String::from_utf8_lossy(self.as_bytes()))
    }
}

impl fmt::Debug for Comm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&String::from_utf8_lossy(self.as_bytes()), f)
    }
}

/// What is known of a process. Times and switches are those of all its threads together.
///
/// Numbers of other processes are of this node's pid namespace; 0: none that it sees.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Process {
    /// Which.
    pub id: Id,
    /// Its parent.
    pub ppid: u32,
    /// Its process group.
    pub pgid: u32,
    /// Its session.
    pub sid: u32,
    /// Real user.
    pub uid: u32,
    /// Effective user.
    pub euid: u32,
    /// Controlling terminal: its device number, encoded as in `/proc/PID/stat`; 0: none.
    pub tty: u32,
    /// The cgroup (v2) it is in: the inode number of its directory; 0: not known.
    pub cgroup: u64,
    /// Processor time; from /proc to 10 ms if it has threads that ended.
    pub run: Duration,
    /// Time that it was ready and waited for a processor. Zero if the kernel doesn't say;
    /// what a thread waited is not known any more once it has ended.
    pub wait: Duration,
    /// The part of [`Self::run`] in user mode, by the kernel's estimate.
    pub utime: Duration,
    /// The part of it in the kernel.
    pub stime: Duration,
    /// Times it gave the processor up. From /proc, those of living threads.
    pub voluntary: u64,
    /// Times the processor was taken from it. From /proc, those of living threads.
    pub involuntary: u64,
    /// Resident memory, bytes.
    pub rss: u64,
    /// Memory in swap, bytes.
    pub swap: u64,
    /// Address space, bytes.
    pub size: u64,
    /// What its first thread does.
    pub state: State,
    /// How many threads it has.
    pub threads: u32,
    /// −20 to 19.
    pub nice: i32,
    /// Whether it is a thread of the kernel.
    pub kernel: bool,
    /// Name of its program.
    pub comm: Comm,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_name_is_its_first_15_bytes(name: Vec<u8>) {
            let comm = Comm::new(&name);
            let end = name.iter().position(|byte| *byte == 0).unwrap_or(name.len());
            prop_assert_eq!(comm.as_bytes(), &name[..end.min(15)]);
        }

        #[test]
        fn any_bits_are_some_state_with_a_letter_of_its_own(bits: u32) {
            let state = State::of_bits(bits);
            prop_assert_eq!(State::of_letter(state.letter() as u8), Some(state));
        }
    }

    #[test]
    fn bits_as_the_kernel_reads_them() {
        let letters = [
            (0, 'R'),
            (1, 'S'),
            (2, 'D'),
            (0x102, 'D'),
            (0x402, 'I'),
            (4, 'T'),
            (8, 't'),
            (0x80 | 0x20, 'Z'),
            (0x80 | 0x10, 'X'),
            (0x40, 'P'),
        ];
        for (bits, letter) in letters {
            assert_eq!(State::of_bits(bits).letter(), letter, "{bits:#x}");
        }
    }
}
