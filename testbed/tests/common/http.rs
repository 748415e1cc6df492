//! As much of HTTP/1.1 as it takes to ask nginx who it is.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// Longer than any server here takes, shorter than a test may hang.
const PATIENCE: Duration = Duration::from_secs(5);

/// A connection to a web server.
pub struct Connection(BufReader<TcpStream>);

impl Connection {
    /// Connects from the network namespace of the calling thread.
    pub fn open(target: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect_timeout(&target, PATIENCE)
            .map_err(|error| named("connect", &error))?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_nodelay(true)?;
        Ok(Self(BufReader::new(stream)))
    }

    /// Requests `path` and returns the body, without its last newline. Unless the connection is
    /// to be kept, the server has closed it then.
    pub fn get(&mut self, path: &str, keep: bool) -> io::Result<String> {
        let keep = if keep { "keep-alive" } else { "close" };
        let request = format!("GET {path} HTTP/1.1\r\nHost: ssi\r\nConnection: {keep}\r\n\r\n");
        self.0
            .get_mut()
            .write_all(request.as_bytes())
            .map_err(|error| named("send", &error))?;
        let body = self.answer().map_err(|error| named("answer", &error))?;
        if keep == "close" {
            let more = self.0.read(&mut [0]);
            if more.map_err(|error| named("end", &error))? != 0 {
                return Err(io::Error::other("more than was announced"));
            }
        }
        Ok(body)
    }

    fn answer(&mut self) -> io::Result<String> {
        let status = self.line()?;
        if !status.starts_with("HTTP/1.1 200 ") {
            return Err(io::Error::other(format!("status line {status:?}")));
        }
        let mut length = 0;
        loop {
            let header = self.line()?.to_ascii_lowercase();
            if header.is_empty() {
                break;
            }
            if let Some(value) = header.strip_prefix("content-length:") {
                length = value.trim().parse().map_err(io::Error::other)?;
            }
        }
        let mut body = vec![0; length];
        self.0.read_exact(&mut body)?;
        let body = String::from_utf8(body).map_err(io::Error::other)?;
        Ok(body.trim_end().to_owned())
    }

    fn line(&mut self) -> io::Result<String> {
        let mut line = String::new();
        if self.0.read_line(&mut line)? == 0 {
            return Err(io::Error::new(
                io::ErrorKind::UnexpectedEof,
                "the server closed the connection",
            ));
        }
        Ok(line.trim_end().to_owned())
    }
}

fn named(step: &str, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{step}: {error}"))
}
