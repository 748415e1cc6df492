//! One lane's frames on their way out, kept until the other end has them.

use std::collections::VecDeque;

use bytes::Bytes;

use super::Moment;
use super::frame::{Frame, Header};

#[derive(Debug)]
struct Item {
    frame: Frame,
    deadline: Option<Moment>,
}

/// Frames of a session in order. The first has number `base`; those before `next` have been
/// handed to the present connection, those whose number is below `handed`, to any.
#[derive(Debug, Default)]
pub(super) struct Outgoing {
    kept: VecDeque<Item>,
    base: u64,
    next: usize,
    handed: u64,
    bytes: usize,
}

impl Outgoing {
    pub(super) fn push(&mut self, frame: Frame, deadline: Option<Moment>) {
        self.bytes += frame.bytes();
        self.kept.push_back(Item { frame, deadline });
    }

    /// The next frame for the present connection.
    pub(super) fn take(&mut self, now: Moment) -> Option<(Header, &Bytes)> {
        let item = self.kept.get(self.next)?;
        let mut header = item.frame.header;
        if let Some(deadline) = item.deadline {
            // 0 would mean no deadline, and one that is over is over in a moment.
            let left = deadline.saturating_sub(now).as_millis().max(1);
            header.deadline_ms = u32::try_from(left).unwrap_or(u32::MAX);
        }
        self.next += 1;
        self.handed = self.handed.max(self.base + self.next as u64);
        Some((header, &item.frame.body))
    }

    /// The other end has this many, of which the low 32 bits are given. False if it can't.
    #[must_use]
    pub(super) fn acknowledged(&mut self, count: u32) -> bool {
        // Fewer than 2³¹ frames are ever kept, so an older count shows as a negative step.
        let step = count.wrapping_sub(self.base as u32).cast_signed();
        step <= 0 || self.drop_before(self.base + step as u64)
    }

    /// A new connection, whose other end has this many. False if it can't.
    #[must_use]
    pub(super) fn resume(&mut self, received: u64) -> bool {
        let possible = received >= self.base && self.drop_before(received);
        if possible {
            self.next = 0;
        }
        possible
    }

    fn drop_before(&mut self, number: u64) -> bool {
        if number > self.handed {
            return false;
        }
        while self.base < number
            && let Some(item) = self.kept.pop_front()
        {
            self.base += 1;
            self.next = self.next.saturating_sub(1);
            self.bytes -= item.frame.bytes();
        }
        true
    }

    /// Takes back what no connection has had of this request; the frames, first to last.
    pub(super) fn withdraw(&mut self, request: u64) -> Vec<Frame> {
        let first = (self.handed - self.base) as usize;
        let mut withdrawn = Vec::new();
        let mut index = first;
        while index < self.kept.len() {
            if self.kept[index].frame.header.request == request
                && let Some(item) = self.kept.remove(index)
            {
                self.bytes -= item.frame.bytes();
                withdrawn.push(item.frame);
            } else {
                index += 1;
            }
        }
        withdrawn
    }

    /// Frames that are kept.
    pub(super) fn len(&self) -> usize {
        self.kept.len()
    }

    /// Frames that the present connection has not had.
    pub(super) fn queued(&self) -> (usize, usize) {
        let queued = self.kept.range(self.next..);
        let bytes = queued.map(|item| item.frame.bytes()).sum();
        (self.kept.len() - self.next, bytes)
    }

    /// Bytes that are kept.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::core::Lane;
    use crate::core::frame::{Header, Kind};

    fn frame(request: u64) -> Frame {
        Frame {
            header: Header {
                request,
                ..Header::new(Kind::Call, Lane::Bulk)
            },
            body: Bytes::from_static(b"body"),
        }
    }

    fn taken(out: &mut Outgoing) -> Vec<u64> {
        std::iter::from_fn(|| out.take(Moment::ZERO).map(|(header, _)| header.request)).collect()
    }

    #[test]
    fn what_was_not_received_goes_again() {
        let mut out = Outgoing::default();
        (0..5).for_each(|n| out.push(frame(n), None));
        assert_eq!(taken(&mut out), [0, 1, 2, 3, 4]);
        assert!(out.acknowledged(2));
        assert!(out.acknowledged(1), "an old one");
        assert!(!out.acknowledged(6), "more than there were");
        assert!(out.resume(3));
        out.push(frame(5), None);
        assert_eq!(taken(&mut out), [3, 4, 5]);
        assert!(!out.resume(2), "it had three");
        assert!(out.acknowledged(6));
        assert_eq!((out.len(), out.bytes()), (0, 0));
    }

    #[test]
    fn only_what_nobody_has_seen_is_withdrawn() {
        let mut out = Outgoing::default();
        out.push(frame(1), None);
        assert!(out.take(Moment::ZERO).is_some());
        out.push(frame(1), None);
        out.push(frame(2), None);
        assert!(out.resume(0));
        assert_eq!(out.withdraw(1).len(), 1);
        assert_eq!(taken(&mut out), [1, 2]);
    }

    #[test]
    fn deadlines_go_as_what_is_left() {
        let mut out = Outgoing::default();
        out.push(frame(1), Some(Moment::from_secs(3)));
        let (first, _) = out.take(Moment::from_secs(1)).unwrap();
        assert_eq!(first.deadline_ms, 2000);
        assert!(out.resume(0));
        let (again, _) = out.take(Moment::from_secs(9)).unwrap();
        assert_eq!(again.deadline_ms, 1);
    }
}
