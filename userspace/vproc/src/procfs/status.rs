use super::parse::{number, value, words};

/// What we want of `/proc/PID/status` (proc_pid_status(5)) that `stat` hasn't.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Status {
    /// Real user.
    pub uid: u32,
    /// Effective user.
    pub euid: u32,
    /// Saved user.
    pub suid: u32,
    /// KiB in swap; 0 for threads of the kernel and what has ended.
    pub swap: u64,
    /// Times it gave the processor up; of this thread only.
    pub voluntary: u64,
    /// Times the processor was taken from it; of this thread only.
    pub involuntary: u64,
}

impl Status {
    /// `None`: it is something else.
    #[must_use]
    pub fn parse(text: &[u8]) -> Option<Self> {
        let mut users = words(value(text, "Uid")?);
        let counter = |name| words(value(text, name)?).next().and_then(number);
        Some(Self {
            uid: users.next().and_then(number)?,
            euid: users.next().and_then(number)?,
            suid: users.next().and_then(number)?,
            swap: counter("VmSwap").unwrap_or(0),
            voluntary: counter("voluntary_ctxt_switches")?,
            involuntary: counter("nonvoluntary_ctxt_switches")?,
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_written_is_read(
            (uid, euid, suid) in any::<(u32, u32, u32)>(),
            swap in any::<Option<u64>>(),
            (voluntary, involuntary) in any::<(u64, u64)>(),
            name in "[a-zA-Z: ]{0,15}",
        ) {
            let swapped = swap.map_or(String::new(), |kib| format!("VmSwap:\t{kib:8} kB\n"));
            // A name with a line break is written with "\n" in two letters.
            let text = format!(
                "Name:\t{name}\nUmask:\t0022\nState:\tS (sleeping)\nUid:\t{uid}\t{euid}\t{suid}\t0\n\
                 VmRSS:\t 12 kB\n{swapped}voluntary_ctxt_switches:\t{voluntary}\n\
                 nonvoluntary_ctxt_switches:\t{involuntary}\n"
            );
            let status = Status { uid, euid, suid, swap: swap.unwrap_or(0), voluntary, involuntary };
            prop_assert_eq!(Status::parse(text.as_bytes()), Some(status));
        }

        #[test]
        fn anything_is_taken(text: Vec<u8>) {
            let _ = Status::parse(&text);
        }
    }
}
