//! The connection between surrogate and session: bytes, protected unless the cluster wants
//! none of that. Never waits.

use std::io::{self, ErrorKind, Read as _, Write as _};
use std::net::TcpStream;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;

use nix::sys::socket::{setsockopt, sockopt};
use rustls::Connection;

use super::Key;

/// Bytes read at once.
const READ: usize = 32 << 10;
/// How often the kernels ask each other whether they are there, in a silent connection, and
/// how often in vain: so the end of a machine is known even where no daemon tells. There is
/// no limit for bytes that nobody reads: whoever is stopped does not read.
const SILENCE: Duration = Duration::from_secs(10);
const BETWEEN: Duration = Duration::from_secs(5);
const IN_VAIN: u32 = 4;

/// One end of it.
#[derive(Debug)]
pub(super) struct Channel {
    tcp: TcpStream,
    tls: Option<Box<Connection>>,
    /// What goes out in the clear before all else.
    head: Vec<u8>,
}

/// What came of reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Read {
    /// Everything that was there.
    All,
    /// And there will be no more.
    End,
}

fn broken(error: rustls::Error) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, error)
}

impl Channel {
    /// The surrogate's; `id` goes first.
    pub(super) fn to_session(
        tcp: TcpStream,
        id: &[u8],
        own: &Key,
        other: Option<&[u8]>,
    ) -> io::Result<Self> {
        let tls = other.map(|other| own.client(other).map_err(broken));
        let tls = tls.transpose()?.map(Connection::from);
        Self::new(tcp, id, tls)
    }

    /// The session's.
    pub(super) fn to_surrogate(
        tcp: TcpStream,
        protected: Option<(&Key, &[u8])>,
    ) -> io::Result<Self> {
        let tls = protected.map(|(own, other)| own.server(other).map_err(broken));
        let tls = tls.transpose()?.map(Connection::from);
        Self::new(tcp, &[], tls)
    }

    fn new(tcp: TcpStream, head: &[u8], tls: Option<Connection>) -> io::Result<Self> {
        tcp.set_nonblocking(true)?;
        tcp.set_nodelay(true)?;
        let seconds = |time: Duration| u32::try_from(time.as_secs()).unwrap_or(u32::MAX);
        setsockopt(&tcp, sockopt::KeepAlive, &true)?;
        setsockopt(&tcp, sockopt::TcpKeepIdle, &seconds(SILENCE))?;
        setsockopt(&tcp, sockopt::TcpKeepInterval, &seconds(BETWEEN))?;
        setsockopt(&tcp, sockopt::TcpKeepCount, &IN_VAIN)?;
        Ok(Self {
            tcp,
            tls: tls.map(Box::new),
            head: head.to_vec(),
        })
    }

    /// Whether what was written may have reached the other end.
    pub(super) fn is_established(&self) -> bool {
        match &self.tls {
            Some(tls) => !tls.is_handshaking(),
            None => self.head.is_empty(),
        }
    }

    /// Whether it waits for room to send.
    pub(super) fn wants_to_write(&self) -> bool {
        !self.head.is_empty() || self.tls.as_ref().is_some_and(|tls| tls.wants_write())
    }

    /// Reads what is there.
    pub(super) fn read(
        &mut self,
        take: &mut dyn FnMut(&[u8]) -> io::Result<()>,
    ) -> io::Result<Read> {
        let mut buffer = [0; READ];
        loop {
            let Some(tls) = &mut self.tls else {
                match self.tcp.read(&mut buffer) {
                    Ok(0) => return Ok(Read::End),
                    Ok(count) => take(&buffer[..count])?,
                    Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(Read::All),
                    Err(error) if error.kind() == ErrorKind::Interrupted => {}
                    Err(error) => return Err(error),
                }
                continue;
            };
            let came = match tls.read_tls(&mut self.tcp) {
                Ok(came) => came,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(Read::All),
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            if let Err(error) = tls.process_new_packets() {
                // The other end shall know why.
                let _ = tls.write_tls(&mut self.tcp);
                return Err(broken(error));
            }
            loop {
                match tls.reader().read(&mut buffer) {
                    Ok(0) => return Ok(Read::End),
                    Ok(count) => take(&buffer[..count])?,
                    Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                    // Cut off, without a farewell.
                    Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(Read::End),
                    Err(error) => return Err(error),
                }
            }
            if came == 0 {
                return Ok(Read::End);
            }
        }
    }

    /// Takes bytes to be sent, as many as there is room for, and sends what can be.
    pub(super) fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut taken = 0;
        loop {
            self.flush()?;
            let rest = &bytes[taken..];
            if rest.is_empty() || !self.head.is_empty() {
                return Ok(taken);
            }
            let count = match &mut self.tls {
                Some(tls) => tls.writer().write(rest)?,
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
        while !self.head.is_empty() {
            let count = would_block(self.tcp.write(&self.head))?;
            if count == 0 {
                return Ok(());
            }
            self.head.drain(..count);
        }
        if let Some(tls) = &mut self.tls {
            while tls.wants_write() && would_block(tls.write_tls(&mut self.tcp))? > 0 {}
        }
        Ok(())
    }

    /// Says that nothing more will come, once everything has gone.
    pub(super) fn finish(&mut self) -> io::Result<()> {
        if let Some(tls) = &mut self.tls {
            tls.send_close_notify();
        }
        self.flush()?;
        self.tcp.shutdown(std::net::Shutdown::Write)
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

    #[test]
    fn only_who_was_told_gets_through() {
        let (one, other) = (
            Key::generate().expect("a key"),
            Key::generate().expect("a key"),
        );
        let stranger = Key::generate().expect("a key");
        let again = Key::of(other.private()).expect("the same");
        assert_eq!(again.public(), other.public());
        let text = vec![7; 200_000];
        for (client, server, told_client, told_server, well) in [
            (&one, &other, &other, &one, true),
            (&stranger, &other, &other, &one, false),
            (&one, &stranger, &other, &one, false),
        ] {
            let (a, b) = pair();
            let a = Channel::to_session(a, b"", client, Some(told_client.public()));
            let b = Channel::to_surrogate(b, Some((server, told_server.public())));
            let came = meet(a.expect("client"), b.expect("server"), &text);
            assert_eq!(came.is_ok_and(|came| came == text), well);
        }
    }

    #[test]
    fn the_id_goes_first_in_the_clear() {
        let key = Key::generate().expect("a key");
        let (one, mut other) = pair();
        let mut one = Channel::to_session(one, b"0123", &key, None).expect("plain");
        assert_eq!(one.write(b"then this").expect("room"), 9);
        let mut came = [0; 13];
        other.read_exact(&mut came).expect("all of it");
        assert_eq!(&came, b"0123then this");
    }
}
