//! System calls on clusterwide numbers: what they want, and what they return.

use nix::libc;
use ssi_api::process::{Cpid, Niced, Signalled};

/// The largest number of a signal.
const LAST: i32 = 64;

/// Whom a call is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Whom {
    Process(Cpid),
    /// The process group of this number.
    Group(Cpid),
}

/// What it wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Call {
    Signal { whom: Whom, signal: i32 },
    SetNice { whom: Whom, nice: i32 },
    GetNice { whom: Whom },
}

/// What a call returns, or the kernel's number for why not (errno).
pub(super) type Returned = Result<i64, i32>;

impl Call {
    /// A call that the filter has let nobody else answer, by its number and arguments.
    ///
    /// # Errors
    /// What the call returns at once.
    pub(super) fn of(number: i64, args: [u64; 6]) -> Result<Self, i32> {
        let [first, second, third] = [args[0], args[1], args[2]].map(low);
        match number {
            libc::SYS_kill => {
                let whom = Whom::of(first)?;
                if !(0..=LAST).contains(&second) {
                    return Err(libc::EINVAL);
                }
                let signal = second;
                Ok(Self::Signal { whom, signal })
            }
            libc::SYS_setpriority => {
                let nice = third.clamp(-20, 19);
                let whom = Whom::with_priority(first, second)?;
                Ok(Self::SetNice { whom, nice })
            }
            libc::SYS_getpriority => {
                let whom = Whom::with_priority(first, second)?;
                Ok(Self::GetNice { whom })
            }
            _ => Err(libc::ENOSYS),
        }
    }
}

/// The kernel takes an int out of a register.
const fn low(register: u64) -> i32 {
    (register as u32).cast_signed()
}

impl Whom {
    /// As kill(2) has it: below 0, a group.
    fn of(number: i32) -> Result<Self, i32> {
        let whom = if number < 0 {
            Self::Group
        } else {
            Self::Process
        };
        let cpid = Cpid::of_number(number.unsigned_abs());
        cpid.map(whom).ok_or(libc::ESRCH)
    }

    /// As setpriority(2) has it.
    fn with_priority(which: i32, who: i32) -> Result<Self, i32> {
        let cpid = u32::try_from(who).ok().and_then(Cpid::of_number);
        let whom = match which.cast_unsigned() {
            libc::PRIO_PROCESS => Self::Process,
            libc::PRIO_PGRP => Self::Group,
            _ => return Err(libc::EINVAL),
        };
        cpid.map(whom).ok_or(libc::ESRCH)
    }

    pub(super) const fn cpid(self) -> Cpid {
        match self {
            Self::Process(cpid) | Self::Group(cpid) => cpid,
        }
    }
}

/// What kill(2) returns. A process of a node that is gone is gone; a node that doesn't answer
/// may have done it or not.
pub(super) const fn signalled(sent: &Signalled) -> Returned {
    match sent {
        Signalled::Sent => Ok(0),
        Signalled::NoProcess | Signalled::NoNode(_) => Err(libc::ESRCH),
        Signalled::NotPermitted => Err(libc::EPERM),
        Signalled::Unknown(_) => Err(libc::EHOSTUNREACH),
        Signalled::Failed(_) => Err(libc::EIO),
    }
}

/// What setpriority(2) returns of several: who could not be changed matters, and no process is
/// an error only if there was no other.
pub(super) fn niced(all: &[Niced]) -> Returned {
    let mut returned = Err(libc::ESRCH);
    for one in all {
        let one = match one {
            Niced::Done { .. } => Ok(0),
            Niced::NoProcess | Niced::NoNode(_) => Err(libc::ESRCH),
            Niced::NotPermitted => Err(libc::EPERM),
            Niced::NotLower => Err(libc::EACCES),
            Niced::Unknown(_) => Err(libc::EHOSTUNREACH),
            Niced::Failed(_) => Err(libc::EIO),
        };
        returned = match (returned, one) {
            (Ok(_), Err(libc::ESRCH)) => Ok(0),
            (Err(why), Ok(_)) if why != libc::ESRCH => Err(why),
            _ => one,
        };
    }
    returned
}

/// The niceness that a process's stat tells (proc(5), field 19).
pub(super) fn nice_of(stat: &[u8]) -> Option<i32> {
    // A name may have anything in it.
    let name = stat.iter().rposition(|byte| *byte == b')')?;
    let rest = str::from_utf8(stat.get(name + 1..)?).ok()?;
    rest.split_ascii_whitespace().nth(16)?.parse().ok()
}

/// What the system call getpriority returns: of several, the highest priority, as a number that
/// is above 0.
pub(super) fn nice(all: impl Iterator<Item = i32>) -> Returned {
    let least = all.min().ok_or(libc::ESRCH)?;
    Ok(i64::from(20 - least))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const CPID: i32 = 8_389_842;

    fn cpid() -> Cpid {
        Cpid::new(2, 1234).expect("in range")
    }

    fn register(number: i32) -> u64 {
        // A program may leave anything above.
        0xdead_beef << 32 | u64::from(number.cast_unsigned())
    }

    fn call(number: i64, args: &[i32]) -> Result<Call, i32> {
        let mut registers = [0; 6];
        for (register_of, arg) in registers.iter_mut().zip(args) {
            *register_of = register(*arg);
        }
        Call::of(number, registers)
    }

    #[test]
    fn calls() {
        let (process, group) = (Whom::Process(cpid()), Whom::Group(cpid()));
        let signal = |whom| Ok(Call::Signal { whom, signal: 15 });
        assert_eq!(call(libc::SYS_kill, &[CPID, 15]), signal(process));
        assert_eq!(call(libc::SYS_kill, &[-CPID, 15]), signal(group));
        assert_eq!(call(libc::SYS_kill, &[CPID, 65]), Err(libc::EINVAL));
        assert_eq!(call(libc::SYS_kill, &[1 << 22, 0]), Err(libc::ESRCH));
        assert_eq!(call(libc::SYS_kill, &[i32::MIN, 0]), Err(libc::ESRCH));
        let nice = |whom, nice| Ok(Call::SetNice { whom, nice });
        assert_eq!(
            call(libc::SYS_setpriority, &[0, CPID, 40]),
            nice(process, 19)
        );
        assert_eq!(call(libc::SYS_setpriority, &[1, CPID, -5]), nice(group, -5));
        assert_eq!(
            call(libc::SYS_setpriority, &[0, -CPID, 0]),
            Err(libc::ESRCH)
        );
        assert_eq!(
            call(libc::SYS_getpriority, &[0, CPID]),
            Ok(Call::GetNice { whom: process })
        );
        assert_eq!(call(libc::SYS_getpid, &[]), Err(libc::ENOSYS));
    }

    #[test]
    fn what_they_return() {
        let done = || Niced::Done { old: 0, new: 5 };
        assert_eq!(niced(&[]), Err(libc::ESRCH));
        assert_eq!(niced(&[Niced::NoProcess, done(), Niced::NoProcess]), Ok(0));
        assert_eq!(niced(&[done(), Niced::NotPermitted]), Err(libc::EPERM));
        assert_eq!(niced(&[Niced::NotLower, done()]), Err(libc::EACCES));
        assert_eq!(nice([5, -3, 19].into_iter()), Ok(23));
        assert_eq!(nice([].into_iter()), Err(libc::ESRCH));
        let stat = b"7 (a) b) S 1 7 7 0 -1 4194560 1 0 0 0 1 2 0 0 15 -5 1 0 99";
        assert_eq!(nice_of(stat), Some(-5));
        let gone = Signalled::NoNode("is DOWN".to_owned());
        assert_eq!(signalled(&gone), Err(libc::ESRCH));
    }

    proptest! {
        #[test]
        fn any_stat_can_be_said(stat: Vec<u8>) {
            nice_of(&stat);
        }

        #[test]
        fn any_call_is_understood(number in 0_i64..500, args: [u64; 6]) {
            if let Ok(call) = Call::of(number, args) {
                let (Call::Signal { whom, .. } | Call::SetNice { whom, .. }
                    | Call::GetNice { whom }) = call;
                let number = i32::try_from(whom.cpid().number()).expect("a number of a process");
                let low = args.map(low);
                prop_assert!(low.contains(&number) || low.contains(&-number));
            }
        }
    }
}
