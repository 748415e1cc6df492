use crate::procfs::parse::{number, value, words};

/// Of `/proc/meminfo` (proc_meminfo(5)), in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Memory {
    /// `MemTotal`.
    pub total: u64,
    /// `MemAvailable`: what programs can have without swapping, by the kernel's estimate.
    pub available: u64,
    /// `SwapTotal`.
    pub swap_total: u64,
    /// `SwapFree`.
    pub swap_free: u64,
}

impl Memory {
    /// `None`: it is something else.
    #[must_use]
    pub fn parse(text: &[u8]) -> Option<Self> {
        let kib = |name| {
            let kib: u64 = words(value(text, name)?).next().and_then(number)?;
            Some(kib.saturating_mul(1024))
        };
        Some(Self {
            total: kib("MemTotal")?,
            available: kib("MemAvailable")?,
            // Not there without `CONFIG_SWAP`.
            swap_total: kib("SwapTotal").unwrap_or(0),
            swap_free: kib("SwapFree").unwrap_or(0),
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_written_is_read(total in 0_u64..1 << 50, available in 0_u64..1 << 50, swap in any::<Option<u32>>()) {
            let swapped = swap.map_or(String::new(), |kib| format!("SwapTotal: {kib} kB\nSwapFree: {kib} kB\n"));
            let text = format!("MemTotal:  {total} kB\nMemFree: 7 kB\nMemAvailable: {available} kB\n{swapped}");
            let swap = u64::from(swap.unwrap_or(0)) * 1024;
            prop_assert_eq!(
                Memory::parse(text.as_bytes()),
                Some(Memory { total: total * 1024, available: available * 1024, swap_total: swap, swap_free: swap })
            );
        }

        #[test]
        fn anything_is_taken(text: Vec<u8>) {
            let _ = Memory::parse(&text);
        }
    }
}
