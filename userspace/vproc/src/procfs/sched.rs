use super::parse::{number, words};

/// `/proc/PID/schedstat`, of one thread (`Documentation/scheduler/sched-stats.rst`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sched {
    /// Processor time, nanoseconds.
    pub run: u64,
    /// Time it waited for a processor, nanoseconds.
    pub wait: u64,
}

impl Sched {
    /// `None`: it is something else.
    #[must_use]
    pub fn parse(text: &[u8]) -> Option<Self> {
        let mut words = words(text);
        Some(Self {
            run: words.next().and_then(number)?,
            wait: words.next().and_then(number)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_written_is_read(run: u64, wait: u64, turns: u64) {
            let text = format!("{run} {wait} {turns}\n");
            prop_assert_eq!(Sched::parse(text.as_bytes()), Some(Sched { run, wait }));
        }

        #[test]
        fn anything_is_taken(text: Vec<u8>) {
            let _ = Sched::parse(&text);
        }
    }
}
