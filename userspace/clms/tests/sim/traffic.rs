//! How many bytes each host sends, with the headers of IP and of what is above it.

use std::collections::BTreeMap;

/// IPv4 and UDP headers, and a probe.
const DATAGRAM: usize = 20 + 8 + ssi_abi::probe::BYTES;
/// IPv4 and TCP headers with timestamps: an acknowledgement by itself.
const SEGMENT: usize = 20 + 32;
/// A record of TLS 1.3 around its content.
const RECORD: usize = 5 + 1 + 16;
/// A frame's header of internode communication.
const FRAME: usize = 40;

/// Bytes sent so far, by host.
#[derive(Clone, Debug, Default)]
pub(crate) struct Traffic {
    sent: BTreeMap<usize, usize>,
}

impl Traffic {
    /// A probe, or one that goes back.
    pub(crate) fn datagram(&mut self, from: usize) {
        *self.sent.entry(from).or_default() += DATAGRAM;
    }

    /// A message of so many bytes, which the other acknowledges.
    pub(crate) fn message(&mut self, from: usize, to: usize, bytes: usize) {
        *self.sent.entry(from).or_default() += SEGMENT + RECORD + FRAME + bytes;
        *self.sent.entry(to).or_default() += SEGMENT;
    }

    /// A question and its answer, which acknowledges it.
    pub(crate) fn call(&mut self, from: usize, to: usize, question: usize, answer: usize) {
        *self.sent.entry(from).or_default() += 2 * SEGMENT + RECORD + FRAME + question;
        *self.sent.entry(to).or_default() += SEGMENT + RECORD + FRAME + answer;
    }

    /// What each host has sent.
    pub(crate) fn sent(&self) -> &BTreeMap<usize, usize> {
        &self.sent
    }
}
