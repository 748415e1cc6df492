//! Hearing of a process's end.

use std::os::fd::{AsFd, BorrowedFd, FromRawFd as _, OwnedFd};
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context, Result, bail};
use hdrhistogram::Histogram;
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};
use nix::sys::mman::{MapFlags, ProtFlags, mmap_anonymous, munmap};
use nix::sys::wait::waitpid;
use nix::time::{ClockId, clock_gettime};
use nix::unistd::{ForkResult, Pid, fork};
use ssi_abi::proc::kind;
use ssi_loader::{Events, Proc, ProcOptions};

use super::Options;
use crate::measure::{Bar, Base, Better, Row, Section};
use crate::progress::Progress;

const PIDFD: &str = "pidfd, epoll";
const RING: &str = "ring of events, epoll";
/// How long a process lives, so that whoever waits for it sleeps when it ends.
const LIFE: libc::useconds_t = 300;

/// A word that a child and we share.
struct Shared(std::ptr::NonNull<AtomicU64>);

impl Shared {
    fn new() -> Result<Self> {
        let size = std::num::NonZero::new(size_of::<u64>()).context("eight")?;
        let access = ProtFlags::PROT_READ | ProtFlags::PROT_WRITE;
        // SAFETY: a mapping of its own, aligned to a page, of zeroes.
        let memory = unsafe { mmap_anonymous(None, size, access, MapFlags::MAP_SHARED)? };
        Ok(Self(memory.cast()))
    }

    fn word(&self) -> &AtomicU64 {
        // SAFETY: mapped as long as this lives, and zero is a value of it.
        unsafe { self.0.as_ref() }
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        // SAFETY: our own mapping, which nobody refers to any more.
        let _ = unsafe { munmap(self.0.cast(), size_of::<u64>()) };
    }
}

pub(super) fn run(options: Options, progress: &Progress) -> Result<Vec<Section>> {
    let mut proc = Proc::open(&ProcOptions::default())?;
    proc.attach()?;
    let mut events = proc.take_events().context("it has one reader")?;
    let shared = Shared::new()?;
    let mut seen = [Vec::new(), Vec::new()];
    progress.begin(options.rounds * 2, "exit");
    for round in 0..options.rounds {
        for place in 0..2 {
            let which = (place + round) % 2;
            let mut took = Histogram::new(3)?;
            for _ in 0..options.exits {
                let nanos = match which {
                    0 => by_pidfd(&shared)?,
                    _ => by_ring(&shared, &mut events)?,
                };
                took.record(nanos)?;
            }
            seen[which].push(took);
            progress.step([PIDFD, RING][which]);
        }
    }
    if proc.lost()? > 0 {
        bail!("events were lost: too much goes on here");
    }
    Ok(vec![
        section(
            "exit-p50",
            "from just before a process calls _exit until another one, which slept, knows: the \
             median of a round",
            0.5,
            &seen,
        ),
        section(
            "exit-p99",
            "the same; 99 of 100 of a round are shorter",
            0.99,
            &seen,
        ),
    ])
}

fn section(
    name: &'static str,
    about: &str,
    quantile: f64,
    seen: &[Vec<Histogram<u64>>; 2],
) -> Section {
    let row = |(name, seen): (&str, &Vec<Histogram<u64>>)| {
        let values = seen.iter().map(|took| took.value_at_quantile(quantile));
        Row {
            name: name.to_owned(),
            samples: values.map(|nanos| nanos as f64 / 1e3).collect(),
            bar: (name == RING && quantile == 0.5).then_some(Bar::AtMost {
                value: 200.0,
                scaled: 200.0,
            }),
            latency: None,
            errors: 0,
        }
    };
    Section {
        name,
        about: about.to_owned(),
        unit: "µs",
        better: Better::Less,
        base: Base::First,
        rows: [PIDFD, RING].into_iter().zip(seen).map(row).collect(),
    }
}

/// A child that says when it ends, and ends.
fn child(shared: &Shared) -> Result<Pid> {
    shared.word().store(0, Ordering::Relaxed);
    // SAFETY: the child calls nothing but the kernel, whatever other threads were doing.
    match unsafe { fork()? } {
        ForkResult::Parent { child } => Ok(child),
        // SAFETY: as said.
        ForkResult::Child => unsafe {
            libc::usleep(LIFE);
            if let Ok(now) = now() {
                shared.word().store(now, Ordering::Release);
            }
            libc::_exit(0)
        },
    }
}

fn now() -> nix::Result<u64> {
    let now = clock_gettime(ClockId::CLOCK_MONOTONIC)?;
    Ok(now.tv_sec() as u64 * 1_000_000_000 + now.tv_nsec() as u64)
}

fn since(shared: &Shared) -> Result<u64> {
    let now = now()?;
    let then = shared.word().load(Ordering::Acquire);
    if then == 0 || then > now {
        bail!("a process has ended before it did");
    }
    Ok(now - then)
}

fn epoll(on: BorrowedFd<'_>) -> Result<Epoll> {
    let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
    epoll.add(on, EpollEvent::new(EpollFlags::EPOLLIN, 0))?;
    Ok(epoll)
}

fn wait(epoll: &Epoll) -> Result<()> {
    match epoll.wait(&mut [EpollEvent::empty()], EpollTimeout::from(5_000_u16))? {
        0 => bail!("nothing was heard of a process's end for five seconds"),
        _ => Ok(()),
    }
}

fn by_pidfd(shared: &Shared) -> Result<u64> {
    let child = child(shared)?;
    // SAFETY: no pointers; the descriptor, if any, is ours.
    let pidfd = unsafe { libc::syscall(libc::SYS_pidfd_open, child.as_raw(), 0) };
    let pidfd = i32::try_from(pidfd)?;
    if pidfd < 0 {
        bail!("pidfd_open: {}", std::io::Error::last_os_error());
    }
    // SAFETY: ours, as said.
    let pidfd = unsafe { OwnedFd::from_raw_fd(pidfd) };
    wait(&epoll(pidfd.as_fd())?)?;
    let took = since(shared)?;
    waitpid(child, None)?;
    Ok(took)
}

fn by_ring(shared: &Shared, events: &mut Events) -> Result<u64> {
    while events.take_next().is_some() {}
    let child = child(shared)?;
    let epoll = epoll(events.as_fd())?;
    loop {
        wait(&epoll)?;
        while let Some(event) = events.take_next() {
            if event.kind == kind::EXIT && event.pid == child.as_raw().unsigned_abs() {
                let took = since(shared)?;
                waitpid(child, None)?;
                return Ok(took);
            }
        }
    }
}
