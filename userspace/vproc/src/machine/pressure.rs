use std::time::Duration;

use crate::procfs::parse::{number, value_of, words};

/// Time that tasks could not go on for want of something, since boot
/// (`Documentation/accounting/psi.rst`). What it was lately is a difference.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stall {
    /// At least one task had to wait.
    pub some: Duration,
    /// All had to, so the time was lost to everybody. Zero where the kernel doesn't say (the
    /// processor, before 5.13).
    pub full: Duration,
}

/// Of each resource.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pressure {
    /// A processor.
    pub cpu: Stall,
    /// Memory.
    pub memory: Stall,
    /// Reading and writing.
    pub io: Stall,
}

impl Stall {
    /// `None`: it is something else.
    #[must_use]
    pub fn parse(text: &[u8]) -> Option<Self> {
        let line = |kind: &[u8]| {
            text.split(|byte| *byte == b'\n')
                .find_map(|line| line.strip_prefix(kind))
        };
        let total = |line: &[u8]| {
            let micros = words(line).find_map(|word| value_of(word, b"total"))?;
            number(micros).map(Duration::from_micros)
        };
        Some(Self {
            some: total(line(b"some ")?)?,
            full: line(b"full ").and_then(total).unwrap_or_default(),
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_written_is_read(some: u64, full: Option<u64>) {
            let averages = "avg10=0.12 avg60=0.00 avg300=10.00";
            let last = full.map_or(String::new(), |micros| format!("full {averages} total={micros}\n"));
            let text = format!("some {averages} total={some}\n{last}");
            let stall = Stall {
                some: Duration::from_micros(some),
                full: Duration::from_micros(full.unwrap_or(0)),
            };
            prop_assert_eq!(Stall::parse(text.as_bytes()), Some(stall));
        }

        #[test]
        fn anything_is_taken(text: Vec<u8>) {
            let _ = Stall::parse(&text);
        }
    }
}
