use std::time::Duration;

use rustc_hash::FxHashMap;

use super::{PROCESS, ProcessLoad};

/// Which process: its pid and its start (nanoseconds since boot).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key {
    /// Its number.
    pub pid: u32,
    /// When it was forked.
    pub start: u64,
}

/// What a process has used in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Usage {
    /// Which.
    pub key: Key,
    /// Processor time.
    pub run: Duration,
    /// Time it was ready and waited for a processor; zero where the kernel doesn't say.
    pub wait: Duration,
}

/// A process that has ended since the last sample, and what it had used by then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ended {
    /// Which.
    pub key: Key,
    /// Processor time.
    pub run: Duration,
}

/// The load of an interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sample {
    /// How long it was.
    pub interval: Duration,
    /// Processes that were ready, on the average, times [`PROCESS`]; not corrected.
    pub load: f64,
}

#[derive(Clone, Copy, Debug)]
struct Known {
    run: Duration,
    wait: Duration,
    load: ProcessLoad,
    /// Number of the sample that had it last.
    seen: u64,
}

/// Makes loads of what processes have used in their lives: the difference of two samples.
#[derive(Clone, Debug, Default)]
pub struct Sampler {
    known: FxHashMap<Key, Known>,
    /// When the last sample was taken.
    at: Option<u64>,
    count: u64,
}

impl Sampler {
    /// Nothing is known yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes a sample in. `at`: when it was taken, nanoseconds since boot; `ended`: who has
    /// ended since the last one. `None` the first time, and if no time has passed.
    pub fn add(
        &mut self,
        at: u64,
        usages: impl IntoIterator<Item = Usage>,
        ended: impl IntoIterator<Item = Ended>,
    ) -> Option<Sample> {
        let before = self.at;
        let interval = Duration::from_nanos(at.saturating_sub(before.unwrap_or(at)));
        if before.is_some() && interval.is_zero() {
            return None;
        }
        self.at = Some(at);
        self.count += 1;
        let mut busy = Duration::ZERO;
        for ended in ended {
            let known = self.known.remove(&ended.key);
            let run = known.map(|known| known.run);
            busy += since(run, ended.run, ended.key, before);
        }
        for usage in usages {
            busy += self.take(usage, interval, before);
        }
        let count = self.count;
        self.known.retain(|_, known| known.seen == count);
        before?;
        let load = PROCESS * busy.as_secs_f64() / interval.as_secs_f64();
        Some(Sample { interval, load })
    }

    /// What each process adds to the load lately, of those that the last sample had.
    pub fn processes(&self) -> impl Iterator<Item = (Key, f64)> {
        self.known
            .iter()
            .map(|(key, known)| (*key, known.load.value()))
    }

    /// What this process adds to the load lately.
    #[must_use]
    pub fn process(&self, key: Key) -> Option<f64> {
        self.known.get(&key).map(|known| known.load.value())
    }

    /// How long it was busy in the interval.
    fn take(&mut self, usage: Usage, interval: Duration, before: Option<u64>) -> Duration {
        let Usage { key, run, wait } = usage;
        let old = self.known.get(&key).copied();
        let busy = since(old.map(|old| old.run), run, key, before)
            + since(old.map(|old| old.wait), wait, key, before);
        let mut load = old.map_or(ProcessLoad::default(), |old| old.load);
        if !interval.is_zero() {
            let now = PROCESS * busy.as_secs_f64() / interval.as_secs_f64();
            load.add(now, interval);
        }
        let known = Known {
            run,
            wait,
            load,
            seen: self.count,
        };
        self.known.insert(key, known);
        busy
    }
}

/// What was added in the interval. Of a process that was not known it is all, if it began in
/// the interval, and nothing if it is older: who knows when it used that. A sum that has
/// become smaller (a thread has ended, with what it had waited) adds nothing.
fn since(old: Option<Duration>, new: Duration, key: Key, before: Option<u64>) -> Duration {
    match old {
        Some(old) => new.saturating_sub(old),
        None if before.is_some_and(|before| key.start >= before) => new,
        None => Duration::ZERO,
    }
}

#[cfg(test)]
mod tests;
