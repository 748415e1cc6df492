//! What daemon and keeper say to each other: one packet each, with descriptors.

use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};

use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, recvmsg, sendmsg,
};

/// How many sockets can be held. (The kernel passes at most 253 at a time.)
pub(crate) const MOST: usize = 64;

/// What is wanted, and the answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Word {
    /// Give me what you hold, and go on holding it.
    Give,
    /// Hold these, and nothing else.
    Hold,
    /// Hold nothing, and end.
    End,
    /// The answer to all of them; to [`Word::Give`] with what is held.
    Done,
}

impl Word {
    const ALL: [Self; 4] = [Self::Give, Self::Hold, Self::End, Self::Done];

    fn byte(self) -> u8 {
        match self {
            Self::Give => b'g',
            Self::Hold => b'h',
            Self::End => b'e',
            Self::Done => b'd',
        }
    }

    fn of(bytes: &[u8]) -> Option<Self> {
        let [byte] = bytes else { return None };
        Self::ALL.into_iter().find(|word| word.byte() == *byte)
    }
}

/// Says something.
///
/// # Errors
/// The other end has gone, or doesn't listen in time.
pub(crate) fn say(to: impl AsFd, word: Word, sockets: &[OwnedFd]) -> io::Result<()> {
    send(to, &[word.byte()], sockets)
}

/// Sends bytes with descriptors.
pub(crate) fn send(to: impl AsFd, bytes: &[u8], sockets: &[OwnedFd]) -> io::Result<()> {
    let sockets: Vec<_> = sockets.iter().map(AsFd::as_fd).collect();
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MOST))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    let pushed = sockets.is_empty() || control.push(SendAncillaryMessage::ScmRights(&sockets));
    // The space may be a little larger than it has to be.
    if !pushed || sockets.len() > MOST {
        return Err(io::Error::other("more sockets than can be held"));
    }
    sendmsg(
        to,
        &[IoSlice::new(bytes)],
        &mut control,
        SendFlags::NOSIGNAL,
    )?;
    Ok(())
}

/// Hears something; none: the other end has gone.
///
/// # Errors
/// The other end says nothing in time, or what has no meaning.
pub(crate) fn hear(from: impl AsFd) -> io::Result<Option<(Word, Vec<OwnedFd>)>> {
    let mut bytes = [0; 16];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MOST))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let message = recvmsg(
        from,
        &mut [IoSliceMut::new(&mut bytes)],
        &mut control,
        RecvFlags::CMSG_CLOEXEC,
    )?;
    let mut sockets = Vec::new();
    for message in control.drain() {
        if let RecvAncillaryMessage::ScmRights(descriptors) = message {
            sockets.extend(descriptors);
        }
    }
    if message.bytes == 0 {
        return Ok(None);
    }
    match Word::of(&bytes[..message.bytes]) {
        Some(word) => Ok(Some((word, sockets))),
        None => Err(io::ErrorKind::InvalidData.into()),
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;

    use proptest::prelude::*;
    use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};

    use super::*;

    fn pair() -> (OwnedFd, OwnedFd) {
        let flags = SocketFlags::CLOEXEC;
        socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, flags, None).unwrap()
    }

    #[test]
    fn descriptors_come_along_with_words() {
        let (here, there) = pair();
        for word in Word::ALL {
            for count in [0, 1, MOST] {
                let files: Vec<OwnedFd> = (0..count)
                    .map(|_| File::open("/dev/null").unwrap().into())
                    .collect();
                say(&here, word, &files).unwrap();
                let (heard, came) = hear(&there).unwrap().unwrap();
                assert_eq!((heard, came.len()), (word, count));
            }
        }
        let files: Vec<OwnedFd> = (0..=MOST)
            .map(|_| File::open("/dev/null").unwrap().into())
            .collect();
        assert!(say(&here, Word::Hold, &files).is_err());
        drop(here);
        assert!(hear(&there).unwrap().is_none());
    }

    proptest! {
        #[test]
        fn what_has_no_meaning_is_an_error(bytes in prop::collection::vec(any::<u8>(), 1..40)) {
            let (here, there) = pair();
            send(&here, &bytes, &[]).unwrap();
            let known = Word::ALL.iter().any(|word| bytes == [word.byte()]);
            prop_assert_eq!(hear(&there).is_ok(), known);
        }
    }
}
