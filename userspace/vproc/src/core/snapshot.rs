use super::Process;

/// All processes, each at some moment between two times.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Snapshot {
    /// When the first was looked at: nanoseconds since boot, suspension included.
    pub began: u64,
    /// When the last was.
    pub ended: u64,
    /// In no particular order.
    pub processes: Vec<Process>,
}
