//! When nodes were booted, next to this one: /proc counts a process's start from its node's boot,
//! and who reads it counts from this node's.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

use super::daemon::Daemon;

/// How long what was found out is believed: a node that was booted again takes longer.
const FRESH: Duration = Duration::from_secs(1);
/// What was found out before is kept if it is wrong by no more than this: programs know a process
/// by its start, so it must not change with every answer that comes a little later.
const SLACK: i64 = 100_000_000;

/// A question to a node: how long it has been up.
#[derive(Clone, Copy, Debug)]
struct Asked {
    /// How long this node had been up when the question was asked, in nanoseconds.
    before: u64,
    /// The same when the answer was here.
    after: u64,
    /// The answer.
    there: u64,
}

/// How much later than this node others were booted, in nanoseconds.
#[derive(Debug, Default)]
pub(super) struct Boots(Mutex<HashMap<u16, (u64, i64)>>);

impl Boots {
    /// How much later than this node another was booted, in clock ticks.
    pub(super) async fn later(&self, daemon: &Daemon, node: u16) -> fuse3::Result<i64> {
        let before = now();
        if let Some(known) = self.get(node, before) {
            return Ok(ticks(known));
        }
        let loads = daemon.loads(node).await?;
        let after = now();
        let later = if loads.here == node {
            0
        } else {
            let there = loads.nodes.first().ok_or(libc::EAGAIN)?.busy.up;
            let asked = Asked {
                before,
                after,
                there,
            };
            later(self.last(node), asked)
        };
        self.all().insert(node, (after, later));
        Ok(ticks(later))
    }

    /// As it was found out less than [`FRESH`] ago.
    fn get(&self, node: u16, now: u64) -> Option<i64> {
        let (at, later) = *self.all().get(&node)?;
        (u128::from(now.saturating_sub(at)) < FRESH.as_nanos()).then_some(later)
    }

    /// As it was found out last.
    fn last(&self, node: u16) -> Option<i64> {
        self.all().get(&node).map(|(_, later)| *later)
    }

    fn all(&self) -> MutexGuard<'_, HashMap<u16, (u64, i64)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// By the answer, or as it was known before if the answer agrees. The node looked at its clock
/// between the question and the answer.
fn later(known: Option<i64>, asked: Asked) -> i64 {
    let least = difference(asked.before, asked.there);
    let most = difference(asked.after, asked.there);
    let agrees = least.saturating_sub(SLACK)..=most.saturating_add(SLACK);
    known
        .filter(|known| agrees.contains(known))
        .unwrap_or_else(|| least.midpoint(most))
}

fn difference(here: u64, there: u64) -> i64 {
    here.cast_signed().saturating_sub(there.cast_signed())
}

/// Nanoseconds since this node was booted, as /proc/uptime counts them.
fn now() -> u64 {
    let time = clock_gettime(ClockId::Boottime);
    time.tv_sec.unsigned_abs() * 1_000_000_000 + time.tv_nsec.unsigned_abs()
}

/// The same in clock ticks, as `stat` has times.
fn ticks(nanoseconds: i64) -> i64 {
    let second = rustix::param::clock_ticks_per_second().max(1);
    let tick = 1_000_000_000 / second.cast_signed();
    nanoseconds.div_euclid(tick)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SECOND: u64 = 1_000_000_000;

    #[test]
    fn it_is_believed_for_a_second() {
        let boots = Boots::default();
        assert_eq!((boots.get(2, 0), boots.last(2)), (None, None));
        boots.all().insert(2, (10 * SECOND, 6));
        assert_eq!(boots.get(2, 11 * SECOND - 1), Some(6));
        assert_eq!(boots.get(2, 11 * SECOND), None);
        assert_eq!((boots.get(3, 10 * SECOND), boots.last(2)), (None, Some(6)));
    }

    #[test]
    fn a_node_that_was_booted_again_is_another() {
        let asked = |there| Asked {
            before: 100 * SECOND,
            after: 100 * SECOND,
            there,
        };
        let first = later(None, asked(90 * SECOND));
        assert_eq!(later(Some(first), asked(90 * SECOND + 1)), first);
        assert_eq!(later(Some(first), asked(SECOND)), 99_000_000_000);
    }

    proptest! {
        /// Whatever questions and answers take, it stays what it was found to be first, and is
        /// never wrong by more than the answers leave open.
        #[test]
        fn it_is_right_and_stays(
            boot in -1_000_000_000_000_i64..1_000_000_000_000,
            answers in prop::collection::vec((0_u64..50_000_000, 0_u64..50_000_000), 1..20),
        ) {
            let (mut now, mut known) = (2_000 * SECOND, None);
            for (to, from) in answers {
                let there = (now + to).checked_add_signed(-boot).expect("it is up");
                let asked = Asked { before: now, after: now + to + from, there };
                let found = later(known, asked);
                prop_assert!(found.abs_diff(boot) <= 50_000_000);
                prop_assert!(known.is_none_or(|known| known == found));
                known = Some(found);
                now = asked.after + SECOND;
            }
        }
    }
}
