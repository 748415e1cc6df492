//! Having a command, for the surrogate at the other end.

use std::io::{self, ErrorKind};
use std::os::fd::AsFd as _;
use std::time::{Duration, Instant};

use nix::libc;
use nix::poll::PollFlags;
use nix::sys::signalfd::SignalFd;

use super::child::{Become, Child, end, unread};
use super::hangup::hang_up;
use crate::core::{CHUNK, Exit, NotRun, Session, SessionAction, Stream};
use crate::runner::channel::{Channel, Read};
use crate::runner::news::News;
use crate::runner::readiness::{Ready, Wait};
use crate::runner::signals;

/// How long the other end may take to say what shall be run.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long what a command has left in its terminal may take to come, if others have it open.
const LEFT: Duration = Duration::from_millis(50);
/// How long the surrogate may take to read the last word.
const LAST: Duration = Duration::from_secs(5);
/// How often it is looked whether the command has read all of its input.
const LOOK: Duration = Duration::from_millis(2);

#[derive(Clone, Copy, PartialEq)]
enum On {
    Channel,
    News,
    Signals,
    Input,
    Output(Stream),
}

/// The command has ended.
#[derive(Clone, Copy)]
struct Ended {
    exit: Exit,
    at: Instant,
    /// Bytes that it has left in its pipes: others may write there for ever.
    left: [u64; 2],
}

/// A session at work.
pub(super) struct Serve {
    machine: Session,
    channel: Channel,
    news: News,
    signals: SignalFd,
    umask: u32,
    /// Whether this is the user's process by now.
    became: io::Result<()>,
    child: Option<Child>,
    begun: Instant,
    /// Bytes that the command was given.
    given: u64,
    /// What it does not read is for others.
    input_counts: bool,
    exited: Option<Ended>,
    /// The last word was said, or there is nobody to hear it.
    over: bool,
}

impl Serve {
    pub(super) fn new(
        channel: Channel,
        news: News,
        umask: u32,
        became: io::Result<()>,
    ) -> io::Result<Self> {
        Ok(Self {
            machine: Session::new(),
            channel,
            news,
            signals: signals::read_all()?,
            umask,
            became,
            child: None,
            begun: Instant::now(),
            given: 0,
            input_counts: false,
            exited: None,
            over: false,
        })
    }

    /// Until the command has ended, and the surrogate knows, or is gone.
    pub(super) fn run(mut self) -> io::Result<()> {
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

    fn wait_for_streams<'a>(&'a self, child: &'a Child, wait: &mut Wait<'a, On>) {
        if let Some(input) = &child.input {
            let pending = !self.machine.pending().is_empty();
            let mut flags = PollFlags::empty();
            flags.set(PollFlags::POLLOUT, pending);
            // A terminal that nobody has open any more says so all the time.
            if pending || child.pty.is_none() {
                wait.add(On::Input, input.as_fd(), flags);
            }
            if self.machine.input_is_over() {
                wait.until(Some(Instant::now() + LOOK));
            }
        }
        for stream in Stream::WRITTEN {
            if let Some(output) = end(&child.output, stream)
                && self.machine.room(stream) > 0
            {
                wait.add(On::Output(stream), output.as_fd(), PollFlags::POLLIN);
            }
        }
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
                Ok(()) => Child::start(&spec),
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

    /// Gives the command of its input what it takes.
    fn give(&mut self, flags: PollFlags) {
        let Some(child) = &mut self.child else { return };
        let Some(input) = &child.input else { return };
        if flags.intersects(PollFlags::POLLERR | PollFlags::POLLNVAL) && child.pty.is_none() {
            self.given -= unread(input).min(self.given);
            child.input = None;
            self.machine.input_unwanted();
            return;
        }
        while !self.machine.pending().is_empty() {
            match nix::unistd::write(input, self.machine.pending()) {
                Ok(count) => {
                    self.given += count as u64;
                    self.machine.wrote(count);
                }
                Err(nix::errno::Errno::EAGAIN | nix::errno::Errno::EINTR) => return,
                Err(_) => {
                    child.input = None;
                    self.machine.input_unwanted();
                    return;
                }
            }
        }
        let done = !self.input_counts || unread(input) == 0;
        if self.machine.input_is_over() && done && child.pty.is_none() {
            child.input = None;
        }
    }

    /// Takes what the command has written; how much there was.
    fn read(&mut self, stream: Stream) -> usize {
        let Some(child) = &mut self.child else {
            return 0;
        };
        let Some(output) = end(&child.output, stream) else {
            return 0;
        };
        let mut buffer = [0; CHUNK];
        let room = self.machine.room(stream);
        if room == 0 {
            return 0;
        }
        match nix::unistd::read(output, &mut buffer[..room]) {
            Ok(count) if count > 0 => {
                self.machine.output(stream, &buffer[..count]);
                count
            }
            Err(nix::errno::Errno::EAGAIN | nix::errno::Errno::EINTR) => 0,
            // A terminal's end is EIO.
            Ok(_) | Err(_) => {
                child.output[usize::from(stream.number()) - 1] = None;
                self.machine.output_ended(stream);
                0
            }
        }
    }

    /// Once the command has ended and all that it has written was taken, says so.
    fn conclude(&mut self) {
        let Some(mut ended) = self.exited else { return };
        // What is in a pipe is there when its writer has ended; of a terminal, the end says it,
        // unless others have it open.
        let terminal = self.child.as_ref().is_some_and(|child| child.pty.is_some());
        for (stream, left) in Stream::WRITTEN.into_iter().zip(&mut ended.left) {
            let by_its_end = terminal && stream == Stream::Out;
            while by_its_end || *left > 0 {
                let count = self.read(stream);
                *left = left.saturating_sub(count as u64);
                if count == 0 {
                    break;
                }
            }
        }
        self.exited = Some(ended);
        let Some(child) = &self.child else { return };
        let open = |stream| end(&child.output, stream).is_some();
        let left = Stream::WRITTEN.into_iter().zip(ended.left);
        if left
            .into_iter()
            .any(|(stream, left)| open(stream) && left > 0)
        {
            return;
        }
        let full = self.machine.room(Stream::Out) == 0;
        if terminal && open(Stream::Out) && (full || ended.at.elapsed() < LEFT) {
            return;
        }
        let left = child.input.as_ref().map_or(0, unread);
        let read = self.given.saturating_sub(left);
        self.exited = None;
        self.child = None;
        self.machine.exited(ended.exit, read);
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
