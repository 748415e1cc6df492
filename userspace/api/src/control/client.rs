use std::io::{self, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use thiserror::Error;

use super::{
    Call, Failure, Frame, FrameError, Reply, Request, Response, VERSION, decode, encode, read_line,
};

/// A blocking client of the control socket.
#[derive(Debug)]
pub struct Client {
    stream: BufReader<UnixStream>,
    path: PathBuf,
    next: u64,
    line: Vec<u8>,
}

/// Why a request has no reply.
#[derive(Debug, Error)]
pub enum ClientError {
    /// Nobody listens, or we may not connect.
    #[error("cannot reach ssid at {path}: {source}; {hint}")]
    Unreachable {
        /// The socket.
        path: PathBuf,
        /// What the kernel said.
        source: io::Error,
        /// What to do.
        hint: &'static str,
    },
    /// No answer in time.
    #[error(
        "ssid at {path} did not answer in time; see what it is doing with: journalctl -u ssid -e"
    )]
    Timeout {
        /// The socket.
        path: PathBuf,
    },
    /// The conversation broke.
    #[error("lost ssid at {path}: {source}; is it still running? see: journalctl -u ssid -e")]
    Lost {
        /// The socket.
        path: PathBuf,
        /// How.
        source: FrameError,
    },
    /// The other side is no `ssid`, or one of another time.
    #[error("ssid at {path} {what}; are ssi and ssid of the same version?")]
    Strange {
        /// The socket.
        path: PathBuf,
        /// What it did.
        what: String,
    },
    /// The daemon said no.
    #[error(transparent)]
    Failed(#[from] Failure),
}

impl Client {
    /// Connects. `timeout` bounds each later read and write, not the whole request.
    ///
    /// # Errors
    /// If nobody listens there, or we may not connect.
    pub fn connect(path: &Path, timeout: Duration) -> Result<Self, ClientError> {
        let stream = UnixStream::connect(path)
            .and_then(|stream| {
                stream.set_read_timeout(Some(timeout))?;
                stream.set_write_timeout(Some(timeout))?;
                Ok(stream)
            })
            .map_err(|source| ClientError::Unreachable {
                path: path.to_owned(),
                hint: hint(&source),
                source,
            })?;
        Ok(Self {
            stream: BufReader::new(stream),
            path: path.to_owned(),
            next: 1,
            line: Vec::new(),
        })
    }

    /// Asks, and waits for the reply.
    ///
    /// # Errors
    /// [`ClientError::Failed`] if the daemon said no; else if the conversation broke.
    pub fn request(&mut self, request: Request) -> Result<Reply, ClientError> {
        let id = self.next;
        self.next += 1;
        let response = self.exchange(&Call {
            version: VERSION,
            id,
            request,
        })?;
        // A line that the daemon could not read is answered with id 0.
        if response.id != id && response.id != 0 {
            return Err(self.strange(format!("answered request {} to {id}", response.id)));
        }
        Ok(response.into_result()?)
    }

    /// The error for a reply of the wrong sort.
    #[must_use]
    pub fn unexpected(&self, reply: &Reply) -> ClientError {
        let text = serde_json::to_string(reply).unwrap_or_default();
        let start: String = text.chars().take(80).collect();
        self.strange(format!("answered something else: {start}"))
    }

    fn exchange(&mut self, call: &Call) -> Result<Response, ClientError> {
        let line = encode(call).map_err(|e| self.lost(e))?;
        // A daemon that refuses us may have answered and closed before we wrote all.
        let written = self.stream.get_mut().write_all(&line);
        let mut buffer = std::mem::take(&mut self.line);
        let read = read_line(&mut self.stream, &mut buffer);
        self.line = buffer;
        match (written, read) {
            (_, Ok(Frame::Line)) => decode(&self.line).map_err(|e| self.strange(e.to_string())),
            (Err(e), _) => Err(self.lost(e.into())),
            (Ok(()), Ok(Frame::End)) => Err(self.lost(FrameError::Cut)),
            (Ok(()), Err(e)) => Err(self.lost(e)),
        }
    }

    fn strange(&self, what: String) -> ClientError {
        ClientError::Strange {
            path: self.path.clone(),
            what,
        }
    }

    fn lost(&self, source: FrameError) -> ClientError {
        let path = self.path.clone();
        match source {
            FrameError::Io(e)
                if matches!(
                    e.kind(),
                    io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut
                ) =>
            {
                ClientError::Timeout { path }
            }
            source => ClientError::Lost { path, source },
        }
    }
}

fn hint(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::PermissionDenied => {
            "run it as root, or as a member of the socket's group (by default: ssi)"
        }
        _ => "is it running? start it with: systemctl start ssid (or, by hand: ssid)",
    }
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader};
    use std::os::unix::net::UnixListener;
    use std::thread;

    use super::*;
    use crate::control::FailureKind;

    /// A socket whose other side answers each line with the next of `answers`.
    fn server(answers: Vec<Vec<u8>>) -> (tempfile::TempDir, PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("s");
        let listener = UnixListener::bind(&path).unwrap();
        thread::spawn(move || {
            let (stream, _) = listener.accept().unwrap();
            let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
            let mut stream = stream;
            for answer in answers {
                lines.next();
                stream.write_all(&answer).unwrap();
            }
            lines.next();
        });
        (dir, path)
    }

    const SHORT: Duration = Duration::from_millis(200);

    #[test]
    fn a_reply_a_failure_and_silence() {
        let failure = Failure::new(FailureKind::Refused, "no such service");
        let (_dir, path) = server(vec![
            encode(&Response::new(1, Ok(Reply::Done))).unwrap(),
            encode(&Response::new(2, Err(failure.clone()))).unwrap(),
            Vec::new(),
        ]);
        let mut client = Client::connect(&path, SHORT).unwrap();
        assert_eq!(client.request(Request::Status).unwrap(), Reply::Done);
        match client.request(Request::Status) {
            Err(ClientError::Failed(f)) => assert_eq!(f, failure),
            other => panic!("{other:?}"),
        }
        match client.request(Request::Status) {
            Err(e @ ClientError::Timeout { .. }) => {
                assert!(e.to_string().contains("did not answer in time"), "{e}");
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn nobody_there() {
        let e = Client::connect(Path::new("/nonexistent/ssid.sock"), SHORT).unwrap_err();
        let text = e.to_string();
        assert!(text.contains("/nonexistent/ssid.sock"), "{text}");
        assert!(text.contains("is it running?"), "{text}");
    }

    #[test]
    fn nonsense_is_named() {
        let (_dir, path) = server(vec![b"hello\n".to_vec()]);
        let mut client = Client::connect(&path, SHORT).unwrap();
        let e = client.request(Request::Status).unwrap_err();
        assert!(e.to_string().contains("same version"), "{e}");
    }
}
