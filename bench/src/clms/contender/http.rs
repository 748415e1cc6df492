//! As much of HTTP as a local peer's API needs.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::{Context, Result, bail};

/// Posts a body and returns the answer's; an error unless it is 200.
pub(super) fn post(to: SocketAddr, path: &str, body: &str, patience: Duration) -> Result<String> {
    let stream = TcpStream::connect_timeout(&to, patience)?;
    stream.set_read_timeout(Some(patience))?;
    stream.set_nodelay(true)?;
    // Version 1.0: the answer ends with the connection.
    let request = format!(
        "POST {path} HTTP/1.0\r\nHost: {to}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    (&stream).write_all(request.as_bytes())?;
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let status = line.split(' ').nth(1).context("no HTTP status")?.to_owned();
    while line.trim_end() != "" {
        line.clear();
        reader.read_line(&mut line)?;
    }
    let mut answer = String::new();
    reader.read_to_string(&mut answer)?;
    if status != "200" {
        bail!("status {status}: {}", answer.trim());
    }
    Ok(answer)
}
