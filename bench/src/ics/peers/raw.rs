//! TCP, and nothing else: the floor.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::Instant;

use anyhow::Result;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::{Calls, PIECE, SIZE, Sends, count, runtime};
use crate::ics::pair::FAR;

const ECHO: u16 = 7201;
const SINK: u16 = 7202;
const TOKIO: u16 = 7203;

/// Bytes for which a reader has room.
const READ: usize = 128 << 10;

/// Serves on threads of its own.
pub(in crate::ics) fn serve() -> Result<()> {
    listen(ECHO, |mut stream| {
        let mut bytes = [0; SIZE];
        while stream.read_exact(&mut bytes).is_ok() && stream.write_all(&bytes).is_ok() {}
    })?;
    listen(SINK, |mut stream| {
        let (mut length, mut bytes) = ([0; 8], vec![0; READ]);
        while stream.read_exact(&mut length).is_ok() {
            let mut left = u64::from_le_bytes(length);
            while left > 0 {
                match stream.read(&mut bytes) {
                    Ok(0) | Err(_) => return,
                    Ok(count) => left = left.saturating_sub(count as u64),
                }
            }
            if stream.write_all(&length).is_err() {
                return;
            }
        }
    })?;
    let listener = TcpListener::bind((FAR, TOKIO))?;
    listener.set_nonblocking(true)?;
    let runtime = runtime()?;
    thread::spawn(move || {
        runtime.block_on(async move {
            let listener = tokio::net::TcpListener::from_std(listener)?;
            loop {
                let (mut stream, _) = listener.accept().await?;
                stream.set_nodelay(true)?;
                tokio::spawn(async move {
                    let mut bytes = [0; SIZE];
                    while stream.read_exact(&mut bytes).await.is_ok()
                        && stream.write_all(&bytes).await.is_ok()
                    {}
                });
            }
            #[allow(unreachable_code, reason = "what `?` returns has to have a type")]
            std::io::Result::Ok(())
        })
    });
    Ok(())
}

fn listen(port: u16, talk: fn(TcpStream)) -> Result<()> {
    let listener = TcpListener::bind((FAR, port))?;
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let _ = stream.set_nodelay(true);
            thread::spawn(move || talk(stream));
        }
    });
    Ok(())
}

fn connect(port: u16) -> Result<TcpStream> {
    let stream = TcpStream::connect((FAR, port))?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// With blocking calls.
pub(in crate::ics) fn calls() -> Result<Calls> {
    let mut stream = connect(ECHO)?;
    Ok(Box::new(move |calls, took| {
        let mut bytes = [7; SIZE];
        for _ in 0..calls {
            let start = Instant::now();
            stream.write_all(&bytes)?;
            stream.read_exact(&mut bytes)?;
            count(took, start);
        }
        Ok(())
    }))
}

/// With tokio, at both ends.
pub(in crate::ics) fn tokio_calls() -> Result<Calls> {
    let runtime = runtime()?;
    let mut stream = runtime.block_on(tokio::net::TcpStream::connect((FAR, TOKIO)))?;
    stream.set_nodelay(true)?;
    Ok(Box::new(move |calls, took| {
        runtime.block_on(async {
            let mut bytes = [7; SIZE];
            for _ in 0..calls {
                let start = Instant::now();
                stream.write_all(&bytes).await?;
                stream.read_exact(&mut bytes).await?;
                count(took, start);
            }
            Ok(())
        })
    }))
}

/// A stream, as `iperf` would send it.
pub(in crate::ics) fn sends() -> Result<Sends> {
    let mut stream = connect(SINK)?;
    let piece = vec![7; PIECE];
    Ok(Box::new(move |bytes| {
        stream.write_all(&bytes.to_le_bytes())?;
        let mut left = bytes;
        while left > 0 {
            let step = left.min(PIECE as u64);
            stream.write_all(&piece[..step as usize])?;
            left -= step;
        }
        Ok(stream.read_exact(&mut [0; 8])?)
    }))
}
