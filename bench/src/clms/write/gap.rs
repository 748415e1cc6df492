//! Writes that don't wait for each other, around something that goes wrong.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow, bail};

/// A new write begins so often, whatever became of those before: a client that waits for
/// one that is lost would see a gap of its own patience.
const EVERY: Duration = Duration::from_millis(20);
/// How long writes go well before and after.
const STEADY: Duration = Duration::from_millis(1000);
/// How long it may last.
const PATIENCE: Duration = Duration::from_secs(20);

/// The longest time between two successes while `break_it` breaks something; it tells
/// when.
pub(super) fn around(
    write: &(dyn Fn() -> Result<()> + Sync),
    break_it: impl FnOnce() -> Result<Instant>,
) -> Result<Duration> {
    let done = Mutex::new(Vec::new());
    let stop = AtomicBool::new(false);
    let result = thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                scope.spawn(|| {
                    if write().is_ok()
                        && let at = Instant::now()
                        && let Ok(mut done) = done.lock()
                    {
                        done.push(at);
                    }
                });
                thread::sleep(EVERY);
            }
        });
        let result = watch(&done, break_it);
        stop.store(true, Ordering::Relaxed);
        result
    });
    let (from, until) = result?;
    let done = done
        .into_inner()
        .map_err(|_| anyhow!("a writer panicked"))?;
    longest(done, from, until).ok_or_else(|| anyhow!("nothing was written"))
}

/// From when to when it was looked.
fn watch(
    done: &Mutex<Vec<Instant>>,
    break_it: impl FnOnce() -> Result<Instant>,
) -> Result<(Instant, Instant)> {
    let after = |at: Instant| {
        let done = done.lock();
        done.map_or(0, |done| done.iter().filter(|one| **one > at).count())
    };
    let begin = Instant::now();
    thread::sleep(STEADY);
    if after(begin) == 0 {
        bail!("no write succeeds before anything is broken");
    }
    let at = break_it()?;
    // Writes that were on their way may still succeed; only a steady stream is the end.
    let wanted = usize::try_from(STEADY.as_millis() / EVERY.as_millis() / 2)?;
    loop {
        thread::sleep(STEADY);
        let now = Instant::now();
        if after(now.checked_sub(STEADY).unwrap_or(at)) >= wanted {
            return Ok((begin + STEADY / 2, now));
        }
        if now > at + PATIENCE {
            bail!("no steady writes {} s after the crash", PATIENCE.as_secs());
        }
    }
}

fn longest(mut done: Vec<Instant>, from: Instant, until: Instant) -> Option<Duration> {
    done.retain(|at| (from..until).contains(at));
    done.sort_unstable();
    done.windows(2).map(|pair| pair[1] - pair[0]).max()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_gap_is_found_in_any_order_and_within_bounds() {
        let start = Instant::now();
        let at = |ms: u64| start + Duration::from_millis(ms);
        let done = vec![at(900), at(0), at(400), at(100), at(5000)];
        let gap = longest(done, start, at(1000));
        assert_eq!(gap, Some(Duration::from_millis(500)));
        assert_eq!(longest(vec![at(1)], start, at(2)), None);
    }
}
