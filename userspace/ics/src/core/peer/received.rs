//! What has come on a lane, and how much of it the other end was told that it has.

use std::time::Duration;

use crate::core::Moment;

/// Frames after which an acknowledgement is sent even if nothing else is.
pub(super) const ACK_FRAMES: u64 = 256;
/// Bytes after which it is.
const ACK_BYTES: usize = 512 << 10;
/// Time after which it is. All it holds up is what the other end keeps for a new connection;
/// sooner, each of the few frames of quiet times would have one of its own.
pub(super) const ACK_DELAY: Duration = Duration::from_millis(500);

/// Frames of the session that a lane has received.
#[derive(Debug, Default)]
pub(super) struct Received {
    pub(super) frames: u64,
    /// How many of those the other end was told of, and when the first came that it wasn't.
    acknowledged: u64,
    unacknowledged_bytes: usize,
    since: Option<Moment>,
}

impl Received {
    /// A frame of the session has come; true: so many that an acknowledgement has to go.
    pub(super) fn count(&mut self, now: Moment, bytes: usize) -> bool {
        self.frames += 1;
        self.unacknowledged_bytes += bytes;
        self.since.get_or_insert(now);
        self.enough()
    }

    fn enough(&self) -> bool {
        self.frames - self.acknowledged >= ACK_FRAMES || self.unacknowledged_bytes >= ACK_BYTES
    }

    pub(super) fn must_acknowledge(&self, now: Moment) -> bool {
        self.enough() || self.ack_at().is_some_and(|at| at <= now)
    }

    /// The other end is told of all that has come; how many those are.
    pub(super) fn acknowledge(&mut self) -> u64 {
        self.acknowledged = self.frames;
        self.unacknowledged_bytes = 0;
        self.since = None;
        self.frames
    }

    /// When an acknowledgement is due.
    pub(super) fn ack_at(&self) -> Option<Moment> {
        self.since.map(|since| since + ACK_DELAY)
    }
}
