use super::parse::{number, words};
use crate::core::State;

/// What we want of `/proc/PID/stat` (proc_pid_stat(5)).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stat {
    /// 1: its number.
    pub pid: u32,
    /// 2: its name, without the parentheses.
    pub comm: Vec<u8>,
    /// 3.
    pub state: State,
    /// 4: its parent.
    pub ppid: u32,
    /// 5: its process group.
    pub pgid: u32,
    /// 6: its session.
    pub sid: u32,
    /// 7: its controlling terminal.
    pub tty: u32,
    /// 9: the kernel's `PF_*`.
    pub flags: u32,
    /// 14: clock ticks in user mode, of all threads.
    pub utime: u64,
    /// 15: clock ticks in the kernel.
    pub stime: u64,
    /// 19.
    pub nice: i32,
    /// 20: number of threads.
    pub threads: u32,
    /// 22: start, clock ticks since boot.
    pub start: u64,
    /// 23: bytes of address space.
    pub size: u64,
    /// 24: resident pages.
    pub rss: u64,
}

impl Stat {
    /// `None`: it is something else.
    #[must_use]
    pub fn parse(text: &[u8]) -> Option<Self> {
        // A name may have anything in it, parentheses too; nothing after it has.
        let open = text.iter().position(|byte| *byte == b'(')?;
        let close = text.iter().rposition(|byte| *byte == b')')?;
        let comm = text.get(open + 1..close)?.to_vec();
        let pid = words(&text[..open]).next().and_then(number)?;
        let mut fields = [&b""[..]; 22];
        let mut words = words(&text[close + 1..]);
        for field in &mut fields {
            *field = words.next()?;
        }
        // Fields are numbered from 1, and the third is the first here.
        let field = |n: usize| fields[n - 3];
        let [letter] = *field(3) else {
            return None;
        };
        Some(Self {
            pid,
            comm,
            state: State::of_letter(letter)?,
            ppid: number(field(4))?,
            pgid: group(field(5))?,
            sid: group(field(6))?,
            tty: number::<i32>(field(7))? as u32,
            flags: number(field(9))?,
            utime: number(field(14))?,
            stime: number(field(15))?,
            nice: number(field(19))?,
            threads: number(field(20))?,
            start: number(field(22))?,
            size: number(field(23))?,
            rss: number::<i64>(field(24))?.max(0) as u64,
        })
    }
}

/// The kernel writes −1 of a process that is being let go of.
fn group(text: &[u8]) -> Option<u32> {
    number::<i32>(text).map(|number| number.max(0) as u32)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn stat() -> impl Strategy<Value = Stat> {
        let state = prop::sample::select(&b"RSDTtZXPI"[..]);
        let times = (any::<u64>(), any::<u64>(), any::<u64>(), any::<u64>());
        let groups = (0..i32::MAX as u32, 0..i32::MAX as u32);
        let comm = prop::collection::vec(any::<u8>(), 0..16);
        (
            1_u32..,
            comm,
            state,
            groups,
            times,
            any::<(u32, u32, i32, u32, u32)>(),
        )
            .prop_map(
                |(pid, comm, state, (pgid, sid), (utime, stime, start, size), rest)| Stat {
                    pid,
                    comm,
                    state: State::of_letter(state).expect("a letter"),
                    ppid: rest.0,
                    pgid,
                    sid,
                    tty: rest.1,
                    flags: rest.3,
                    utime,
                    stime,
                    nice: rest.2,
                    threads: rest.4,
                    start,
                    size,
                    rss: start >> 1,
                },
            )
    }

    fn written(stat: &Stat) -> Vec<u8> {
        let mut text = format!("{} (", stat.pid).into_bytes();
        text.extend(&stat.comm);
        let Stat {
            ppid,
            pgid,
            sid,
            flags,
            utime,
            stime,
            nice,
            threads,
            start,
            size,
            rss,
            ..
        } = stat;
        let (letter, tty) = (stat.state.letter(), stat.tty as i32);
        text.extend(
            format!(
                ") {letter} {ppid} {pgid} {sid} {tty} -1 {flags} 1 2 3 4 {utime} {stime} 0 0 20 \
                 {nice} {threads} 0 {start} {size} {rss} 18446744073709551615 0 0 0\n"
            )
            .bytes(),
        );
        text
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(stat in stat()) {
            prop_assert_eq!(Stat::parse(&written(&stat)), Some(stat));
        }

        #[test]
        fn a_line_that_is_cut_is_none_or_the_same(stat in stat(), end in any::<prop::sample::Index>()) {
            let text = written(&stat);
            let cut = &text[..end.index(text.len())];
            if let Some(read) = Stat::parse(cut) {
                prop_assert_eq!(read.start, stat.start);
            }
        }

        #[test]
        fn anything_is_taken(text: Vec<u8>) {
            let _ = Stat::parse(&text);
        }
    }
}
