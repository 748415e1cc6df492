//! What goes to a session: one packet, with a connection.

use std::io::{self, IoSlice};
use std::mem::MaybeUninit;
use std::os::fd::AsFd;

use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags, sendmsg};

use crate::core::Packed;
use crate::runner::session::LONGEST;

/// Hands a connection over to a session, with what it has to know.
pub(super) fn hand_over(
    session: impl AsFd,
    packed: &Packed,
    connection: impl AsFd,
) -> io::Result<()> {
    let bytes = postcard::to_stdvec(packed).map_err(io::Error::other)?;
    let connection = [connection.as_fd()];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    if bytes.len() > LONGEST || !control.push(SendAncillaryMessage::ScmRights(&connection)) {
        return Err(io::Error::other("too much for a session"));
    }
    let flags = SendFlags::NOSIGNAL | SendFlags::DONTWAIT;
    sendmsg(session, &[IoSlice::new(&bytes)], &mut control, flags)?;
    Ok(())
}
