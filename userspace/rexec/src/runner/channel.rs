//! The connection between surrogate and session: bytes, protected unless the cluster wants
//! none of that. Never waits.

use std::io::{self, ErrorKind, Read as _, Write as _};
use std::net::TcpStream;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;

use bytes::{Buf as _, BytesMut};
use nix::sys::socket::{setsockopt, sockopt};
use ssi_records::{Broken, Opener, Sealer};

use super::keys::{End, both_ways};
use super::scratch::Scratch;
use crate::core::Secrets;

/// Bytes sealed at once.
const LOT: usize = 64 << 10;
/// How often the kernels ask each other whether they are there, in a silent connection, and
/// how often in vain: so the end of a machine is known even where no daemon tells. There is
/// no limit for bytes that nobody reads: whoever is stopped does not read.
const SILENCE: Duration = Duration::from_secs(10);
const BETWEEN: Duration = Duration::from_secs(5);
const IN_VAIN: u32 = 4;

/// One end of it.
pub(super) struct Channel {
    tcp: TcpStream,
    records: Option<Records>,
    scratch: Scratch,
    /// Records that are not sent yet.
    out: BytesMut,
}

/// What protects it.
struct Records {
    sealer: Sealer,
    opener: Opener,
    /// What has come: of that the last bytes, so many, are still sealed.
    came: BytesMut,
    sealed: usize,
}

/// What came of reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Read {
    /// Everything that was there.
    All,
    /// And there will be no more.
    End,
}

fn broken(broken: Broken) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, broken)
}

impl Channel {
    /// One end of it.
    pub(super) fn new(tcp: TcpStream, end: End, secrets: Option<&Secrets>) -> io::Result<Self> {
        tcp.set_nonblocking(true)?;
        tcp.set_nodelay(true)?;
        let seconds = |time: Duration| u32::try_from(time.as_secs()).unwrap_or(u32::MAX);
        setsockopt(&tcp, sockopt::KeepAlive, &true)?;
        setsockopt(&tcp, sockopt::TcpKeepIdle, &seconds(SILENCE))?;
        setsockopt(&tcp, sockopt::TcpKeepInterval, &seconds(BETWEEN))?;
        setsockopt(&tcp, sockopt::TcpKeepCount, &IN_VAIN)?;
        let both = secrets.map(|secrets| both_ways(end, secrets)).transpose()?;
        Ok(Self {
            tcp,
            records: both.map(|(sealer, opener)| Records {
                sealer,
                opener,
                came: BytesMut::new(),
                sealed: 0,
            }),
            scratch: Scratch::default(),
            out: BytesMut::new(),
        })
    }

    /// Whether it waits for room to send.
    pub(super) fn wants_to_write(&self) -> bool {
        !self.out.is_empty()
    }

    /// Reads what is there.
    pub(super) fn read(
        &mut self,
        take: &mut dyn FnMut(&[u8]) -> io::Result<()>,
    ) -> io::Result<Read> {
        loop {
            let (came, full) = match self.tcp.read(self.scratch.room(usize::MAX)) {
                Ok(0) => return Ok(Read::End),
                Ok(count) => self.scratch.took(count),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(Read::All),
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            match &mut self.records {
                None => take(came)?,
                Some(records) => {
                    records.open(came, take)?;
                    if records.opener.is_closed() {
                        return Ok(Read::End);
                    }
                }
            }
            if !full {
                // More may have come since; then this is asked again.
                return Ok(Read::All);
            }
        }
    }

    /// Takes bytes to be sent, as many as there is room for, and sends what can be.
    pub(super) fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut taken = 0;
        loop {
            self.flush()?;
            let rest = &bytes[taken..];
            if rest.is_empty() || !self.out.is_empty() {
                return Ok(taken);
            }
            let count = match &mut self.records {
                Some(records) => {
                    let lot = &rest[..rest.len().min(LOT)];
                    records.sealer.seal([lot], &mut self.out).map_err(broken)?;
                    lot.len()
                }
                None => would_block(self.tcp.write(rest))?,
            };
            if count == 0 {
                return Ok(taken);
            }
            taken += count;
        }
    }

    /// Sends what has been taken, as far as there is room.
    fn flush(&mut self) -> io::Result<()> {
        while !self.out.is_empty() {
            let count = would_block(self.tcp.write(&self.out))?;
            if count == 0 {
                return Ok(());
            }
            self.out.advance(count);
        }
        Ok(())
    }

    /// Says that nothing more will come, once everything has gone.
    pub(super) fn finish(&mut self) -> io::Result<()> {
        if let Some(records) = &mut self.records {
            records.sealer.close(&mut self.out).map_err(broken)?;
        }
        self.flush()?;
        self.tcp.shutdown(std::net::Shutdown::Write)
    }
}

impl Records {
    /// Hands on what was sealed in what has come, as far as it is complete.
    fn open(
        &mut self,
        came: &[u8],
        take: &mut dyn FnMut(&[u8]) -> io::Result<()>,
    ) -> io::Result<()> {
        self.came.extend_from_slice(came);
        self.sealed += came.len();
        let opened = self.opener.open(&mut self.came, &mut self.sealed);
        opened.map_err(broken)?;
        let opened = self.came.len() - self.sealed;
        if opened > 0 {
            take(&self.came[..opened])?;
            self.came.advance(opened);
        }
        Ok(())
    }
}

/// No room is none at all.
fn would_block(result: io::Result<usize>) -> io::Result<usize> {
    match result {
        Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {
            Ok(0)
        }
        result => result,
    }
}

impl AsFd for Channel {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.tcp.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::thread;

    use super::*;

    fn pair() -> (TcpStream, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let one = TcpStream::connect(listener.local_addr().expect("bound")).expect("listening");
        (one, listener.accept().expect("connected").0)
    }

    /// Says `text` from the one to the other; what came.
    fn meet(mut one: Channel, mut other: Channel, text: &[u8]) -> io::Result<Vec<u8>> {
        let (mut sent, mut came) = (0, Vec::new());
        for _ in 0..1000 {
            sent += one.write(&text[sent..])?;
            other.read(&mut |bytes| {
                came.extend_from_slice(bytes);
                Ok(())
            })?;
            other.write(&[])?;
            one.read(&mut |_| Ok(()))?;
            if came.len() == text.len() {
                break;
            }
            thread::sleep(Duration::from_millis(1));
        }
        Ok(came)
    }

    fn secrets(seed: u8) -> Secrets {
        Secrets {
            to_session: [seed; 32],
            to_surrogate: [!seed; 32],
        }
    }

    #[test]
    fn only_who_has_agreed_gets_through() {
        let text = vec![7; 200_000];
        for (told, knows, well) in [(1, 1, true), (1, 2, false)] {
            for (from, to) in [
                (End::Surrogate, End::Session),
                (End::Session, End::Surrogate),
            ] {
                let (a, b) = pair();
                let a = Channel::new(a, from, Some(&secrets(told)));
                let b = Channel::new(b, to, Some(&secrets(knows)));
                let came = meet(a.expect("one end"), b.expect("the other"), &text);
                assert_eq!(came.is_ok_and(|came| came == text), well);
            }
        }
    }

    #[test]
    fn a_farewell_is_the_end_and_so_is_a_close() {
        for says_so in [true, false] {
            let (a, b) = pair();
            let secrets = secrets(3);
            let one = Channel::new(a, End::Session, Some(&secrets));
            let other = Channel::new(b, End::Surrogate, Some(&secrets));
            let (mut one, mut other) = (one.expect("one end"), other.expect("the other"));
            assert_eq!(one.write(b"a word").expect("room"), 6);
            if says_so {
                one.finish().expect("room");
            } else {
                drop(one);
            }
            let mut came = Vec::new();
            let end = (0..1000).any(|_| {
                thread::sleep(Duration::from_millis(1));
                let read = other.read(&mut |bytes| {
                    came.extend_from_slice(bytes);
                    Ok(())
                });
                read.expect("nobody has changed it") == Read::End
            });
            assert!(end);
            assert_eq!(came, b"a word");
        }
    }
}
