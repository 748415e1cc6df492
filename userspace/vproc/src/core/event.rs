use std::time::Duration;

use serde::{Deserialize, Serialize};
use ssi_abi::proc;

use super::fold::split;
use super::{Comm, Id, Process};

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// By itself, with this code.
    Code(u8),
    /// By a signal.
    Signal {
        /// Which.
        signal: u8,
        /// Whether it left a core dump.
        core: bool,
    },
}

impl Status {
    /// From the word that `wait(2)` gives.
    #[must_use]
    pub fn of_wait(word: u32) -> Self {
        match (word & 0x7f) as u8 {
            0 => Self::Code((word >> 8) as u8),
            signal => Self::Signal {
                signal,
                core: word & 0x80 != 0,
            },
        }
    }
}

/// The end of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exit {
    /// How.
    pub status: Status,
    /// Processor time of all its threads; what it used since the last clock tick is not in
    /// it (some milliseconds at most).
    pub run: Duration,
    /// The part of it in user mode.
    pub utime: Duration,
    /// The part of it in the kernel.
    pub stime: Duration,
    /// The most memory it ever had resident, bytes.
    pub max_rss: u64,
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// It was forked.
    Fork,
    /// It executes another program.
    Exec,
    /// Its last thread ended.
    Exit(Exit),
}

/// Something happened to a process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// When: nanoseconds since boot, suspension included.
    pub time: u64,
    /// What.
    pub what: What,
    /// What is known of the process by this: times, memory and threads are not.
    pub process: Process,
}

impl Event {
    /// From the kernel's record. `page`: bytes of a page. `None`: of a kind that we don't
    /// know.
    #[must_use]
    pub fn of_record(record: &proc::Event, page: u64) -> Option<Self> {
        let what = match record.kind {
            proc::kind::FORK => What::Fork,
            proc::kind::EXEC => What::Exec,
            proc::kind::EXIT => What::Exit(exit(record, page)),
            _ => return None,
        };
        let process = Process {
            id: Id {
                pid: record.pid,
                start: record.start,
            },
            ppid: record.ppid,
            pgid: record.pgid,
            sid: record.sid,
            uid: record.uid,
            euid: record.euid,
            cgroup: record.cgroup,
            threads: 1,
            comm: Comm::new(&record.comm),
            ..Process::default()
        };
        Some(Self {
            time: record.time,
            what,
            process,
        })
    }
}

fn exit(record: &proc::Event, page: u64) -> Exit {
    let of = Duration::from_nanos;
    let (utime, stime) = split(of(record.run), of(record.utime), of(record.stime));
    Exit {
        status: Status::of_wait(record.status),
        run: of(record.run),
        utime,
        stime,
        max_rss: record.max_rss.saturating_mul(page),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn codes_and_signals_are_what_wait_says(code in any::<u8>(), signal in 1_u8..65, core in any::<bool>()) {
            prop_assert_eq!(Status::of_wait(u32::from(code) << 8), Status::Code(code));
            let word = u32::from(signal) | u32::from(core) << 7;
            prop_assert_eq!(Status::of_wait(word), Status::Signal { signal, core });
        }

        #[test]
        fn any_record_is_taken(kind in 0_u32..6, status in any::<u32>(), run in any::<u64>(), utime in any::<u64>(), comm in any::<[u8; 16]>()) {
            let record = proc::Event { kind, status, run, utime, stime: utime, comm, max_rss: run, ..proc::Event::default() };
            let event = Event::of_record(&record, 4096);
            prop_assert_eq!(event.is_some(), (1..=3).contains(&kind));
        }
    }
}
