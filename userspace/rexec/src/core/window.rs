//! Credit: how much of a stream may be under way, so that whoever reads slowly holds up only
//! whoever writes that stream.

use super::frame::Malformed;

/// Bytes of a stream that may be under way.
pub const WINDOW: usize = 256 << 10;
/// Most bytes of one frame.
pub const CHUNK: usize = 32 << 10;
/// What has been read is credited when it is so much.
const WORTH: usize = WINDOW / 4;
/// Room for pending bytes that is kept while none are.
const KEEP: usize = CHUNK;

/// A stream's sending end.
#[derive(Debug)]
pub(super) struct Sending {
    credit: usize,
    /// Nothing more is sent: it has ended, or nobody wants it.
    over: bool,
}

impl Sending {
    pub(super) fn new() -> Self {
        Self {
            credit: WINDOW,
            over: false,
        }
    }

    /// How many bytes may be sent at once now.
    pub(super) fn room(&self) -> usize {
        if self.over { 0 } else { self.credit.min(CHUNK) }
    }

    pub(super) fn is_over(&self) -> bool {
        self.over
    }

    pub(super) fn sent(&mut self, bytes: usize) {
        debug_assert!(bytes <= self.room(), "more than may be sent");
        self.credit -= bytes.min(self.credit);
    }

    pub(super) fn end(&mut self) {
        self.over = true;
    }

    pub(super) fn credited(&mut self, more: u32) -> Result<(), Malformed> {
        self.credit += more as usize;
        if self.credit > WINDOW {
            return Err(Malformed("more credit than was used"));
        }
        Ok(())
    }
}

/// A stream's receiving end, with what is not written yet.
#[derive(Debug)]
pub(super) struct Receiving {
    pending: Vec<u8>,
    /// Of the pending bytes, how many have been written.
    written: usize,
    /// What the other end may still send.
    granted: usize,
    /// Written, and not credited yet.
    owed: usize,
    ended: bool,
    unwanted: bool,
}

impl Receiving {
    pub(super) fn new() -> Self {
        Self {
            pending: Vec::new(),
            written: 0,
            granted: WINDOW,
            owed: 0,
            ended: false,
            unwanted: false,
        }
    }

    /// Takes bytes; credit that is due for them because nobody wants them.
    pub(super) fn take(&mut self, bytes: &[u8]) -> Result<Option<u32>, Malformed> {
        if self.ended {
            return Err(Malformed("more of a stream that has ended"));
        }
        let Some(left) = self.granted.checked_sub(bytes.len()) else {
            return Err(Malformed("more than there was credit for"));
        };
        self.granted = left;
        if self.unwanted {
            return Ok(self.owe(bytes.len()));
        }
        self.pending.extend_from_slice(bytes);
        Ok(None)
    }

    pub(super) fn end(&mut self) -> Result<(), Malformed> {
        if std::mem::replace(&mut self.ended, true) {
            return Err(Malformed("a stream that ends twice"));
        }
        Ok(())
    }

    pub(super) fn pending(&self) -> &[u8] {
        &self.pending[self.written..]
    }

    /// Some of it was written; credit that is due.
    pub(super) fn wrote(&mut self, bytes: usize) -> Option<u32> {
        let bytes = bytes.min(self.pending().len());
        self.written += bytes;
        if self.written == self.pending.len() {
            self.written = 0;
            self.pending.clear();
            self.pending.shrink_to(KEEP);
        }
        self.owe(bytes)
    }

    /// Nobody wants it any more; whether that is new, and credit that is due.
    pub(super) fn refuse(&mut self) -> (bool, Option<u32>) {
        let new = !std::mem::replace(&mut self.unwanted, true);
        let lost = self.pending().len();
        (new, self.wrote(lost))
    }

    /// Whether all of it has come, and was written.
    pub(super) fn is_over(&self) -> bool {
        self.unwanted || self.ended && self.pending().is_empty()
    }

    fn owe(&mut self, bytes: usize) -> Option<u32> {
        self.owed += bytes;
        if self.owed < WORTH || self.ended {
            return None;
        }
        let due = std::mem::take(&mut self.owed);
        self.granted += due;
        u32::try_from(due).ok()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// However much is read when: the sender never has more credit than the receiver has
        /// room, and never stays without any.
        #[test]
        fn no_byte_too_many_and_no_standstill(steps in prop::collection::vec((0..CHUNK, 0..CHUNK), 1..200)) {
            let (mut sending, mut receiving) = (Sending::new(), Receiving::new());
            for (send, read) in steps {
                let send = send.min(sending.room());
                sending.sent(send);
                prop_assert_eq!(receiving.take(&vec![7; send]), Ok(None));
                prop_assert!(receiving.pending().len() <= WINDOW);
                if let Some(more) = receiving.wrote(read) {
                    prop_assert_eq!(sending.credited(more), Ok(()));
                }
            }
            let all = receiving.pending().len();
            if let Some(more) = receiving.wrote(all) {
                sending.credited(more).expect("it was used");
            }
            prop_assert!(sending.room() > 0);
        }
    }

    #[test]
    fn nobody_sends_or_credits_too_much() {
        assert!(Sending::new().credited(1).is_err());
        let mut receiving = Receiving::new();
        assert!(receiving.take(&vec![0; WINDOW]).is_ok());
        assert!(receiving.take(&[0]).is_err());
    }
}
