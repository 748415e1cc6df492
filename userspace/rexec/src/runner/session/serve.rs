//! Having a command, for the surrogate at the other end.

use std::io::{self, ErrorKind};
use std::os::fd::AsFd as _;
use std::time::{Duration, Instant};

use nix::libc;
use nix::poll::PollFlags;
use nix::sys::signalfd::SignalFd;

use super::child::{Become, Child, end, unread};
use super::hangup::hang_up;
use crate::core::{Exit, Limit, NotRun, Session, SessionAction, Stream};
use crate::runner::channel::{Channel, Read};
use crate::runner::news::News;
use crate::runner::readiness::{Ready, Wait};
use crate::runner::scratch::Scratch;
use crate::runner::signals;

/// How long the other end may take to say what shall be run.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long what a command has left in its terminal may take to come, if others have it open.
pub(super) const LEFT: Duration = Duration::from_millis(50);
/// How long the surrogate may take to read the last word.
const LAST: Duration = Duration::from_secs(5);
/// How soon it is looked whether the command has read all of its input; each time half as
/// often.
const LOOK: Duration = Duration::from_millis(1);

#[derive(Clone, Copy, PartialEq)]
pub(super) enum On {
    Channel,
    News,
    Signals,
    Input,
    Output(Stream),
}

/// The command has ended.
#[derive(Clone, Copy)]
pub(super) struct Ended {
    pub(super) exit: Exit,
    pub(super) at: Instant,
    /// Bytes that it has left in its pipes: others may write there for ever.
    pub(super) left: [u64; 2],
}

/// A session at work.
pub(super) struct Serve {
    pub(super) machine: Session,
    channel: Channel,
    news: News,
    signals: SignalFd,
    umask: u32,
    /// Signals that this process ignores.
    ignored: u64,
    /// Whether this is the user's process by now, and the limits that a command has to be given.
    became: io::Result<Vec<Limit>>,
    pub(super) child: Option<Child>,
    pub(super) scratch: Scratch,
    begun: Instant,
    /// Bytes that the command was given.
    pub(super) given: u64,
    /// What it does not read is for others.
    pub(super) input_counts: bool,
    pub(super) exited: Option<Ended>,
    /// When it is looked again whether the command has read all of its input.
    pub(super) look: Duration,
    /// The last word was said, or there is nobody to hear it.
    over: bool,
}

impl Serve {
    pub(super) fn new(channel: Channel, news: News, umask: u32, ignored: u64) -> io::Result<Self> {
        Ok(Self {
            machine: Session::new(),
            channel,
            news,
            signals: signals::read_all()?,
            umask,
            ignored,
            became: Ok(Vec::new()),
            child: None,
            scratch: Scratch::default(),
            begun: Instant::now(),
            given: 0,
            input_counts: false,
            exited: None,
            look: LOOK,
            over: false,
        })
    }

    /// Lets the surrogate know that there is somebody.
    pub(super) fn greet(&mut self) {
        if self.send().is_err() {
            self.hang_up();
        }
    }

    /// Until the command has ended, and the surrogate knows, or is gone. `became`: whether this
    /// is the user's process by now, and which limits are others than its own.
    pub(super) fn run(mut self, became: io::Result<Vec<Limit>>) -> io::Result<()> {
        self.became = became;
        loop {
            if self.send().is_err() {
                self.hang_up();
            }
            if self.over {
                return Ok(());
            }
            if self.machine.is_over() && !self.channel.wants_to_write() {
                return self.part();
            }
            let ready = self.wait()?;
            self.look(&ready);
        }
    }

    fn wait(&self) -> io::Result<Ready<On>> {
        let mut wait = Wait::new();
        let mut flags = PollFlags::POLLIN;
        let more = self.channel.wants_to_write() || !self.machine.outgoing().is_empty();
        flags.set(PollFlags::POLLOUT, more);
        wait.add(On::Channel, self.channel.as_fd(), flags);
        wait.add(On::Signals, self.signals.as_fd(), PollFlags::POLLIN);
        if let Some(child) = &self.child {
            if let Some(news) = self.news.fd() {
                wait.add(On::News, news, PollFlags::POLLIN);
            }
            wait.until(self.news.next());
            self.wait_for_streams(child, &mut wait);
        } else if !self.machine.is_over() {
            wait.until(Some(self.begun + PATIENCE));
        }
        if let Some(ended) = &self.exited {
            wait.until(Some(ended.at + LEFT));
        }
        Ok(wait.wait()?)
    }

    fn look(&mut self, ready: &Ready<On>) {
        if ready.any(On::Channel) {
            self.take_in();
        }
        if self.child.is_none() && !self.machine.is_over() && self.begun.elapsed() > PATIENCE {
            self.over = true;
        }
        if self.child.is_some() && self.news.look().is_some() {
            self.hang_up();
        }
        if ready.any(On::Signals) {
            self.take_signals();
        }
        self.give(ready.of(On::Input));
        for stream in Stream::WRITTEN {
            if ready.any(On::Output(stream)) && self.exited.is_none() {
                self.read(stream);
            }
        }
        self.conclude();
    }

    fn take_in(&mut self) {
        let machine = &mut self.machine;
        let read = self.channel.read(&mut |bytes| {
            let taken = machine.take_in(bytes);
            taken.map_err(|malformed| io::Error::new(ErrorKind::InvalidData, malformed))
        });
        while let Some(action) = self.machine.action() {
            self.act(action);
        }
        if !matches!(read, Ok(Read::All)) {
            self.hang_up();
        }
    }

    fn act(&mut self, action: SessionAction) {
        if let SessionAction::Start(spec) = action {
            self.input_counts = spec.input_counts;
            let umask = nix::sys::stat::Mode::from_bits_truncate(self.umask);
            nix::sys::stat::umask(umask);
            let started = match &self.became {
                Ok(limits) => Child::start(&spec, limits, self.ignored),
                Err(error) => Err(NotRun::failed(format!(
                    "cannot run commands as the user who asks: {error}"
                ))),
            };
            match started {
                Ok(mut child) => {
                    self.machine.started(child.pid.as_raw().cast_unsigned());
                    if spec.detached {
                        // It is init's from now on.
                        self.machine.exited(Exit::Code(0), 0);
                        return;
                    }
                    if child.output[1].is_none() {
                        self.machine.output_ended(Stream::Err);
                    }
                    if let Some(pty) = &mut child.pty
                        && !spec.foreground
                    {
                        pty.put(child.pid, false);
                    }
                    self.child = Some(child);
                }
                Err(not) => self.machine.not_run(&not),
            }
            return;
        }
        let Some(child) = &mut self.child else { return };
        match action {
            SessionAction::Start(_) => {}
            SessionAction::Signal(signal) => child.signal(signal),
            SessionAction::Resize(size) => {
                if let Some(pty) = &child.pty {
                    pty.resize(size);
                }
            }
            SessionAction::Continue { foreground } => {
                if let Some(pty) = &mut child.pty {
                    pty.put(child.pid, foreground);
                }
                child.signal(libc::SIGCONT as u8);
            }
            SessionAction::OutputUnwanted(stream) => {
                child.output[usize::from(stream.number()) - 1] = None;
            }
        }
    }

    fn take_signals(&mut self) {
        while let Ok(Some(info)) = self.signals.read_signal() {
            match info.ssi_signo.cast_signed() {
                libc::SIGTERM | libc::SIGINT | libc::SIGQUIT => self.hang_up(),
                _ => {}
            }
        }
        let Some(child) = &self.child else { return };
        if self.exited.is_some() {
            return;
        }
        while let Some(what) = child.look() {
            match what {
                Become::Stopped(signal) => self.machine.stopped(signal),
                Become::Ended(exit) => {
                    let left = |stream| end(&child.output, stream).map_or(0, unread);
                    self.exited = Some(Ended {
                        exit,
                        at: Instant::now(),
                        left: Stream::WRITTEN.map(left),
                    });
                    break;
                }
            }
        }
        if self.exited.is_some()
            && let Some(Child { pty: Some(pty), .. }) = &mut self.child
        {
            pty.let_go();
        }
    }

    fn send(&mut self) -> io::Result<()> {
        let count = self.channel.write(self.machine.outgoing())?;
        self.machine.sent(count);
        Ok(())
    }

    /// The surrogate is gone: to the command it is as if its terminal had hung up.
    fn hang_up(&mut self) {
        if let Some(child) = self.child.take()
            && self.exited.is_none()
        {
            hang_up(child, &self.signals);
        }
        self.over = true;
    }

    /// The surrogate knows everything: once it has gone, so do we. Were the connection closed
    /// while it still says something, it might lose the last word.
    fn part(mut self) -> io::Result<()> {
        self.channel.finish()?;
        let until = Instant::now() + LAST;
        loop {
            let mut wait = Wait::new();
            wait.add(On::Channel, self.channel.as_fd(), PollFlags::POLLIN);
            wait.until(Some(until));
            wait.wait()?;
            let read = self.channel.read(&mut |_| Ok(()));
            if !matches!(read, Ok(Read::All)) || Instant::now() >= until {
                return Ok(());
            }
        }
    }
}
