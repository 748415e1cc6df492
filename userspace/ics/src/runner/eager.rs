//! Replies that come sooner than a thread that sleeps is awake again.
//!
//! Between nodes of one rack a round trip takes tens of microseconds, of which sleeping and
//! being woken is a good part. Whoever waits for the only call to a node lets everybody else
//! in the thread get on and looks again, for as long as such calls have been taking; after
//! that, and where calls take longer, it sleeps. A call costs its node at most that much of a
//! processor, and a busy node, whose calls take longer, nothing.

use std::time::Duration;

use crate::core::Moment;

/// Round trips longer than this are slept through.
const SWIFT: Duration = Duration::from_micros(80);

/// What round trips with a node take as a rule.
#[derive(Debug, Default)]
pub(super) struct Eager {
    usual: Option<Duration>,
}

impl Eager {
    /// A call took this long. The mean forgets an eighth with each, as TCP's does (RFC 6298).
    pub(super) fn took(&mut self, took: Duration) {
        self.usual = Some(match self.usual {
            Some(usual) => (usual * 7 + took) / 8,
            None => took,
        });
    }

    /// Until when to look again and again for the reply to a call that goes now.
    pub(super) fn until(&self, now: Moment) -> Option<Moment> {
        let usual = self.usual.filter(|usual| *usual <= SWIFT)?;
        Some(now + usual * 3 / 2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn us(us: u64) -> Duration {
        Duration::from_micros(us)
    }

    #[test]
    fn nobody_looks_again_before_it_is_known_to_be_worth_it() {
        let mut eager = Eager::default();
        assert_eq!(eager.until(us(5)), None);
        eager.took(us(40));
        assert_eq!(eager.until(us(5)), Some(us(65)));
    }

    #[test]
    fn one_slow_call_changes_little_and_many_end_it() {
        let mut eager = Eager::default();
        eager.took(us(40));
        eager.took(us(200));
        assert_eq!(eager.until(us(0)), Some(us(90)));
        (0..20).for_each(|_| eager.took(us(200)));
        assert_eq!(eager.until(us(0)), None);
        (0..20).for_each(|_| eager.took(us(30)));
        assert!(eager.until(us(0)).is_some_and(|until| until <= us(70)));
    }
}
