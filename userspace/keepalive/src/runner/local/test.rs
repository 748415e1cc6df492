//! Tests of a process from outside.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::process::Command;
use tokio::time::timeout;

use crate::config::Test;
use crate::runner::outside::run_within;

/// Whether it passes; what was wrong if it doesn't, in a few words.
pub(super) async fn passes(test: &Test, within: Duration) -> Result<(), String> {
    let passed = async {
        match test {
            Test::Port(port) => connects(*port).await,
            Test::Command(words) => succeeds(words, within).await,
            Test::Http(address) => answers(address).await,
        }
    };
    timeout(within, passed).await.map_err(|_| late(within))?
}

fn late(within: Duration) -> String {
    format!("no answer within {} ms", within.as_millis())
}

async fn connects(port: u16) -> Result<(), String> {
    let at = |address: IpAddr| TcpStream::connect((address, port));
    let connected = at(Ipv4Addr::LOCALHOST.into()).await;
    if let Err(error) = connected {
        // It may listen on IPv6 only.
        let other = at(Ipv6Addr::LOCALHOST.into()).await;
        other.map_err(|_| format!("port {port}: {error}"))?;
    }
    Ok(())
}

async fn succeeds(words: &[String], within: Duration) -> Result<(), String> {
    let Some((program, args)) = words.split_first() else {
        return Err("no command".to_owned());
    };
    let mut command = Command::new(program);
    command.args(args).stdin(Stdio::null());
    command.stdout(Stdio::null()).stderr(Stdio::null());
    match run_within(&mut command, within).await {
        Ok(Some(ended)) if ended.status.success() => Ok(()),
        Ok(Some(ended)) => Err(format!("{program}: {}", ended.status)),
        Ok(None) => Err(late(within)),
        Err(error) => Err(format!("{program}: {error}")),
    }
}

async fn answers(address: &str) -> Result<(), String> {
    let rest = address.strip_prefix("http://").unwrap_or(address);
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let has_port = host
        .rsplit_once(':')
        .is_some_and(|(_, p)| p.parse::<u16>().is_ok());
    let peer = if has_port {
        host.to_owned()
    } else {
        format!("{host}:80")
    };
    let wrong = |error: std::io::Error| format!("{address}: {error}");
    let mut stream = TcpStream::connect(&peer).await.map_err(wrong)?;
    let request = format!(
        "GET /{path} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: ssi\r\nConnection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await.map_err(wrong)?;
    let mut head = Vec::new();
    let mut stream = stream.take(512);
    while !head.contains(&b'\n') {
        if stream.read_buf(&mut head).await.map_err(wrong)? == 0 {
            break;
        }
    }
    match status(&head) {
        Some(200..=399) => Ok(()),
        Some(status) => Err(format!("{address}: status {status}")),
        None => Err(format!("{address}: what answers doesn't speak HTTP")),
    }
}

/// The status of `HTTP/1.1 200 OK`.
fn status(head: &[u8]) -> Option<u16> {
    let line = head.split(|&byte| byte == b'\n').next()?;
    let line = std::str::from_utf8(line).ok()?;
    let rest = line.strip_prefix("HTTP/1.")?;
    rest.split_whitespace().nth(1)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn statuses() {
        assert_eq!(status(b"HTTP/1.1 200 OK\r\nServer: x"), Some(200));
        assert_eq!(status(b"HTTP/1.0 503"), Some(503));
        for wrong in [&b""[..], b"SSH-2.0-x\r\n", b"HTTP/1.1\r\n200 OK"] {
            assert_eq!(status(wrong), None, "{wrong:?}");
        }
    }

    proptest! {
        #[test]
        fn no_answer_panics(head: Vec<u8>) {
            let _ = status(&head);
        }
    }
}
