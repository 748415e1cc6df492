//! Clients: many connections on one thread.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{SocketAddrV4, TcpStream};
use std::os::fd::AsFd as _;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use hdrhistogram::Histogram;
use nix::errno::Errno;
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};
use nix::sys::socket::{
    AddressFamily, SockFlag, SockType, SockaddrIn, connect, setsockopt, socket, sockopt,
};

/// Bytes of a request, and of its answer.
const SIZE: usize = 64;
/// Latencies up to ten seconds, to three figures.
const LONGEST: u64 = 10_000_000_000;
/// What is not answered within this is a failure.
const PATIENCE: Duration = Duration::from_millis(900);
/// Before counting: connections are opened and caches warm.
const WARM: Duration = Duration::from_millis(100);
/// So many failures are enough.
const ENOUGH: u64 = 1000;

/// What the clients do.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Work {
    /// How many connections at a time.
    pub(crate) connections: usize,
    /// Whether one is used for one request only.
    pub(crate) short: bool,
    /// How long to count.
    pub(crate) time: Duration,
}

/// What they saw.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    /// Answers a second.
    pub(crate) rate: f64,
    /// From the request, or for short connections from the connecting, to the answer, ns.
    pub(crate) latency: Histogram<u64>,
    pub(crate) errors: u64,
}

struct Connection {
    stream: TcpStream,
    since: Instant,
    /// Whether the request is on its way.
    asked: bool,
    got: usize,
}

struct Clients<'a> {
    work: Work,
    targets: &'a [SocketAddrV4],
    next: usize,
    epoll: Epoll,
    connections: Vec<Option<Connection>>,
    counting: bool,
    answers: u64,
    latency: Histogram<u64>,
    errors: u64,
}

/// Works on the targets in turn.
pub(crate) fn run(work: Work, targets: &[SocketAddrV4]) -> Result<Seen> {
    let mut clients = Clients {
        work,
        targets,
        next: 0,
        epoll: Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?,
        connections: (0..work.connections).map(|_| None).collect(),
        counting: false,
        answers: 0,
        latency: Histogram::new_with_bounds(1, LONGEST, 3)?,
        errors: 0,
    };
    for place in 0..work.connections {
        clients.open(place)?;
    }
    clients.until(Instant::now() + WARM)?;
    clients.counting = true;
    let start = Instant::now();
    clients.until(start + work.time)?;
    let took = start.elapsed();
    let waiting = clients.connections.iter().flatten();
    let late = waiting.filter(|c| c.since.elapsed() > PATIENCE).count();
    Ok(Seen {
        rate: clients.answers as f64 / took.as_secs_f64(),
        latency: clients.latency,
        errors: clients.errors + late as u64,
    })
}

impl Clients<'_> {
    fn until(&mut self, end: Instant) -> Result<()> {
        let mut events = vec![EpollEvent::empty(); 256];
        loop {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(());
            }
            let wait = u16::try_from(left.as_millis() + 1).unwrap_or(u16::MAX);
            let ready = match self.epoll.wait(&mut events, EpollTimeout::from(wait)) {
                Err(Errno::EINTR) => 0,
                other => other?,
            };
            for event in &events[..ready] {
                self.go_on(event.data() as usize)?;
            }
        }
    }

    fn open(&mut self, place: usize) -> Result<()> {
        let target = self.targets[self.next % self.targets.len()];
        self.next += 1;
        let flags = SockFlag::SOCK_NONBLOCK | SockFlag::SOCK_CLOEXEC;
        let since = Instant::now();
        let fd = socket(AddressFamily::Inet, SockType::Stream, flags, None)?;
        setsockopt(&fd, sockopt::TcpNoDelay, &true)?;
        let started = connect(
            std::os::fd::AsRawFd::as_raw_fd(&fd),
            &SockaddrIn::from(target),
        );
        if let Err(errno) = started
            && errno != Errno::EINPROGRESS
        {
            bail!("connecting to {target}: {errno}");
        }
        let stream = TcpStream::from(fd);
        let both = EpollFlags::EPOLLIN | EpollFlags::EPOLLOUT | EpollFlags::EPOLLET;
        self.epoll
            .add(stream.as_fd(), EpollEvent::new(both, place as u64))?;
        self.connections[place] = Some(Connection {
            stream,
            since,
            asked: false,
            got: 0,
        });
        Ok(())
    }

    fn failed(&mut self, error: &std::io::Error) -> Result<()> {
        self.errors += 1;
        if self.errors > ENOUGH {
            bail!("{ENOUGH} requests failed, the last: {error}");
        }
        Ok(())
    }

    /// Something has happened to a connection.
    fn go_on(&mut self, place: usize) -> Result<()> {
        let Some(connection) = &mut self.connections[place] else {
            return Ok(());
        };
        match connection.go_on() {
            Ok(false) => return Ok(()),
            Ok(true) => {
                if self.counting {
                    self.answers += 1;
                    let took = connection.since.elapsed().as_nanos() as u64;
                    self.latency.saturating_record(took);
                }
                if !self.work.short {
                    connection.asked = false;
                    connection.got = 0;
                    connection.since = Instant::now();
                    // Its answer is an event of its own.
                    match connection.go_on() {
                        Ok(_) => return Ok(()),
                        Err(error) => self.failed(&error)?,
                    }
                }
            }
            Err(error) => self.failed(&error)?,
        }
        // Closing takes it out of the epoll set.
        self.connections[place] = None;
        self.open(place)
    }
}

impl Connection {
    /// Asks if it has not, reads what is there; true: all of the answer is.
    fn go_on(&mut self) -> std::io::Result<bool> {
        if !self.asked {
            match self.stream.write(&[0x55; SIZE]) {
                Ok(SIZE) => self.asked = true,
                Ok(_) => return Err(ErrorKind::WriteZero.into()),
                Err(error) if is_early(&error) => return Ok(false),
                Err(error) => return Err(error),
            }
        }
        let mut bytes = [0; SIZE];
        while self.got < SIZE {
            match self.stream.read(&mut bytes[self.got..]) {
                Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
                Ok(count) => self.got += count,
                Err(error) if is_early(&error) => return Ok(false),
                Err(error) => return Err(error),
            }
        }
        Ok(true)
    }
}

/// Not connected yet, or nothing there yet.
fn is_early(error: &std::io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::WouldBlock | ErrorKind::NotConnected | ErrorKind::Interrupted
    )
}
