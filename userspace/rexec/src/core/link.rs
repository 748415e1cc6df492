//! Frames in and out, whoever says them.

use super::frame::{Frame, Malformed, decode};

/// Room for bytes that is kept while there are none.
const KEEP: usize = 64 << 10;
/// Bytes that wait to be sent, from which on no more of a stream is read.
const ENOUGH: usize = 128 << 10;

/// One end.
#[derive(Debug, Default)]
pub(super) struct Link {
    incoming: Vec<u8>,
    outgoing: Vec<u8>,
    /// Of what goes out, how much has gone.
    gone: usize,
}

impl Link {
    /// Hands whole frames to `each`, in their order.
    pub(super) fn take_in(
        &mut self,
        bytes: &[u8],
        mut each: impl FnMut(&mut Self, Frame<'_>) -> Result<(), Malformed>,
    ) -> Result<(), Malformed> {
        let mut all = std::mem::take(&mut self.incoming);
        all.extend_from_slice(bytes);
        let mut at = 0;
        let result = loop {
            match decode(&all[at..]) {
                Ok(Some((frame, length))) => {
                    if let Err(malformed) = each(self, frame) {
                        break Err(malformed);
                    }
                    at += length;
                }
                Ok(None) => break Ok(()),
                Err(malformed) => break Err(malformed),
            }
        };
        all.drain(..at);
        all.shrink_to(KEEP);
        self.incoming = all;
        result
    }

    pub(super) fn say(&mut self, frame: &Frame<'_>) {
        frame.encode(&mut self.outgoing);
    }

    pub(super) fn outgoing(&self) -> &[u8] {
        &self.outgoing[self.gone..]
    }

    pub(super) fn sent(&mut self, bytes: usize) {
        self.gone += bytes.min(self.outgoing().len());
        if self.gone == self.outgoing.len() {
            self.gone = 0;
            self.outgoing.clear();
            self.outgoing.shrink_to(KEEP);
        }
    }

    /// Whether so much waits to be sent that no more should be read.
    pub(super) fn is_full(&self) -> bool {
        self.outgoing().len() >= ENOUGH
    }
}
