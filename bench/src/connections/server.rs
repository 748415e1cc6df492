//! A server that gives back what it gets.

use std::collections::HashMap;
use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::fd::{AsFd as _, AsRawFd as _};
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, Result};
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};

/// How often it is looked whether to stop, milliseconds.
const LOOK: u16 = 100;

/// Serves these ports of every address until `stop`.
pub(crate) fn serve(ports: &[u16], stop: &AtomicBool) -> Result<()> {
    let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
    let mut listeners = HashMap::new();
    for port in ports {
        let listener = TcpListener::bind((Ipv4Addr::UNSPECIFIED, *port))
            .with_context(|| format!("port {port}"))?;
        listener.set_nonblocking(true)?;
        let key = listener.as_raw_fd() as u64;
        epoll.add(&listener, EpollEvent::new(EpollFlags::EPOLLIN, key))?;
        listeners.insert(key, listener);
    }
    let mut streams: HashMap<u64, TcpStream> = HashMap::new();
    let mut events = vec![EpollEvent::empty(); 256];
    while !stop.load(Ordering::Relaxed) {
        let ready = epoll.wait(&mut events, EpollTimeout::from(LOOK))?;
        for event in &events[..ready] {
            let key = event.data();
            if let Some(listener) = listeners.get(&key) {
                while let Ok((stream, _)) = listener.accept() {
                    stream.set_nonblocking(true)?;
                    stream.set_nodelay(true)?;
                    let key = stream.as_raw_fd() as u64;
                    epoll.add(stream.as_fd(), EpollEvent::new(EpollFlags::EPOLLIN, key))?;
                    streams.insert(key, stream);
                }
            } else if streams.get_mut(&key).is_some_and(|stream| !echo(stream)) {
                streams.remove(&key);
            }
        }
    }
    Ok(())
}

/// Gives back what is there; false: the connection is over.
fn echo(stream: &mut TcpStream) -> bool {
    let mut bytes = [0; 4096];
    match stream.read(&mut bytes) {
        Ok(0) => false,
        // Requests are far smaller than any socket's buffer.
        Ok(count) => stream.write_all(&bytes[..count]).is_ok(),
        Err(error) => matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted),
    }
}
