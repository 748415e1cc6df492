//! Standing for a command while it runs.

use std::io::{self, ErrorKind};
use std::os::fd::AsFd as _;
use std::time::{Duration, Instant};

use nix::fcntl::OFlag;
use nix::libc;
use nix::poll::PollFlags;
use nix::sys::signalfd::SignalFd;

use super::Wish;
use super::report::Report;
use super::stop::stop;
use super::terminal::Local;
use crate::core::{Exit, NotRun, Place, Spec, Stream, Surrogate, SurrogateAction};
use crate::runner::channel::{Channel, Read};
use crate::runner::descriptors::{Shared, is_null};
use crate::runner::news::News;
use crate::runner::readiness::{Ready, Wait};
use crate::runner::scratch::Scratch;
use crate::runner::signals;

/// How often it is looked whether we were put into the foreground: nobody tells.
const LOOK: Duration = Duration::from_millis(100);

/// How it ends.
pub(super) enum End {
    /// It was never run.
    NotRun(NotRun),
    /// It goes on without us, as this process.
    Detached(Place, u32),
    /// It has ended.
    Exited(Exit),
    /// How it ends is not known.
    Lost {
        why: String,
        /// It is sure that it has not begun.
        never_begun: bool,
    },
}

/// What is waited for.
#[derive(Clone, Copy, PartialEq)]
enum On {
    Channel,
    News,
    Signals,
    Input,
    Output(Stream),
}

/// A surrogate at work.
pub(super) struct Serve<'a> {
    wish: &'a Wish,
    place: Place,
    pub(super) machine: Surrogate,
    channel: Channel,
    news: News,
    pub(super) signals: SignalFd,
    pub(super) input: Option<Shared>,
    /// The terminal where input comes from, if the command has none.
    pub(super) keyboard: Option<Local>,
    /// There may be more of it, and it is wanted.
    pub(super) reading: bool,
    pub(super) output: [Option<Shared>; 2],
    pub(super) scratch: Scratch,
    pub(super) terminal: Option<&'a Local>,
    pub(super) foreground: bool,
    /// Which process it is, to be told.
    began: Option<u32>,
    /// The command has ended; what it has written is not all written here yet.
    exited: Option<Exit>,
    end: Option<End>,
}

impl<'a> Serve<'a> {
    pub(super) fn new(
        wish: &'a Wish,
        spec: &Spec,
        place: Place,
        channel: Channel,
        news: News,
        terminal: Option<&'a Local>,
    ) -> Result<Self, NotRun> {
        let failed = |error: io::Error| NotRun::failed(error.to_string());
        let machine = Surrogate::new(spec).map_err(|error| NotRun::failed(error.to_string()))?;
        let signals = signals::read_all().map_err(|errno| failed(errno.into()))?;
        let open = |fd, flags| Shared::standard(fd, flags);
        let (input, out, err) = (io::stdin(), io::stdout(), io::stderr());
        // That there is no input can be said along with the command.
        let wanted = !wish.no_input && !wish.detached && !is_null(&input);
        let input = wanted.then(|| open(input.as_fd(), OFlag::O_RDONLY));
        let out = open(out.as_fd(), OFlag::O_WRONLY).map_err(failed)?;
        let err = open(err.as_fd(), OFlag::O_WRONLY).map_err(failed)?;
        let mut serve = Self {
            wish,
            place,
            machine,
            channel,
            news,
            signals,
            reading: wanted,
            input: input.transpose().map_err(failed)?,
            keyboard: if wanted && terminal.is_none() {
                Local::open()
            } else {
                None
            },
            output: [Some(out), Some(err)],
            scratch: Scratch::default(),
            terminal,
            foreground: spec.foreground,
            began: None,
            exited: None,
            end: None,
        };
        if serve.input.is_none() {
            serve.machine.input_ended();
        }
        Ok(serve)
    }

    /// Until the end.
    pub(super) fn run(mut self, mut report: Option<&mut Report>) -> End {
        loop {
            if let Err(error) = self.send() {
                self.lost(&error.to_string());
            }
            if let Some(end) = self.end.take() {
                return end;
            }
            if let Some(exit) = self.exited
                && Stream::WRITTEN
                    .iter()
                    .all(|s| self.machine.pending(*s).is_empty())
            {
                return End::Exited(exit);
            }
            let ready = match self.wait() {
                Ok(ready) => ready,
                Err(errno) => {
                    self.lost(errno.desc());
                    continue;
                }
            };
            self.look(&ready);
            if let Some(pid) = self.began.take()
                && let Some(report) = report.as_deref_mut()
            {
                report.began(self.place.life.node, pid);
            }
        }
    }

    fn wait(&self) -> nix::Result<Ready<On>> {
        let mut wait = Wait::new();
        if self.exited.is_none() {
            let mut flags = PollFlags::POLLIN;
            let more = self.channel.wants_to_write() || !self.machine.outgoing().is_empty();
            flags.set(PollFlags::POLLOUT, more);
            wait.add(On::Channel, self.channel.as_fd(), flags);
            if let Some(news) = self.news.fd() {
                wait.add(On::News, news, PollFlags::POLLIN);
            }
            wait.until(self.news.next());
            let typed = self.terminal.is_none() || self.foreground;
            if let Some(input) = &self.input
                && self.reading
                && self.machine.room() > 0
                && typed
            {
                wait.add(On::Input, input.as_fd(), PollFlags::POLLIN);
            }
            if self.terminal.is_some() && !self.foreground {
                wait.until(Some(Instant::now() + LOOK));
            }
        }
        wait.add(On::Signals, self.signals.as_fd(), PollFlags::POLLIN);
        for (stream, output) in Stream::WRITTEN.into_iter().zip(&self.output) {
            if let Some(output) = output {
                let mut flags = PollFlags::empty();
                flags.set(PollFlags::POLLOUT, !self.machine.pending(stream).is_empty());
                wait.add(On::Output(stream), output.as_fd(), flags);
            }
        }
        wait.wait()
    }

    fn look(&mut self, ready: &Ready<On>) {
        if ready.any(On::Signals) {
            self.take_signals();
        }
        if ready.any(On::Channel) {
            self.take_in();
        }
        if self.exited.is_none()
            && let Some(epoch) = self.news.look()
        {
            let Place { life, name } = &self.place;
            let node = life.node;
            self.lost(&format!("node {node} {name} went down (epoch {epoch})"));
        }
        for stream in Stream::WRITTEN {
            self.write(stream, ready.of(On::Output(stream)));
        }
        if ready.any(On::Input) {
            self.read();
        }
        if let Some(terminal) = self.terminal
            && !self.foreground
            && self.end.is_none()
            && terminal.is_foreground()
        {
            self.go_on();
        }
    }

    fn take_in(&mut self) {
        let machine = &mut self.machine;
        let read = self.channel.read(&mut |bytes| {
            let taken = machine.take_in(bytes);
            taken.map_err(|malformed| io::Error::new(ErrorKind::InvalidData, malformed))
        });
        while self.end.is_none()
            && let Some(action) = self.machine.action()
        {
            self.act(action);
        }
        if self.exited.is_some() {
            return;
        }
        match read {
            Ok(Read::All) => {}
            Ok(Read::End) => self.lost("the connection was closed"),
            Err(error) => self.lost(&error.to_string()),
        }
    }

    fn act(&mut self, action: SurrogateAction) {
        match action {
            SurrogateAction::Started { pid } => {
                self.began = Some(pid);
                let Place { life, name } = &self.place;
                if self.wish.detached {
                    self.end = Some(End::Detached(self.place.clone(), pid));
                    return;
                }
                if self.wish.verbose {
                    let node = life.node;
                    let number = u32::from(node) << 22 | pid;
                    eprintln!("{}: {node}/{pid} ({number}) on {name}", self.wish.name);
                }
                if let Some(terminal) = self.terminal
                    && self.foreground
                {
                    terminal.make_raw();
                }
            }
            SurrogateAction::NotRun(not) => self.end = Some(End::NotRun(self.on_node(not))),
            SurrogateAction::InputUnwanted => self.reading = false,
            SurrogateAction::Stopped(signal) => {
                for stream in Stream::WRITTEN {
                    self.write(stream, PollFlags::POLLOUT);
                }
                stop(signal, self.terminal, &self.signals);
                self.go_on();
            }
            SurrogateAction::Exited(exit, read) => {
                if let Some(input) = &self.input {
                    input.give_back(self.machine.given().saturating_sub(read));
                }
                self.exited = Some(exit);
            }
        }
    }

    /// We go on, and so shall the command.
    pub(super) fn go_on(&mut self) {
        if let Some(terminal) = self.terminal {
            if terminal.is_gone() {
                self.hang_up();
                return;
            }
            self.foreground = terminal.is_foreground();
            if self.foreground {
                terminal.make_raw();
                self.machine.resized(terminal.size());
            }
        }
        self.machine.go_on(self.foreground);
    }

    /// The terminal is gone, and so are we; the session sees the connection closed, and does to
    /// the command what the kernel does here.
    pub(super) fn hang_up(&mut self) {
        let hangup = Exit::Signal(libc::SIGHUP as u8);
        self.end.get_or_insert(End::Exited(hangup));
    }

    fn take_signals(&mut self) {
        while let Ok(Some(info)) = self.signals.read_signal() {
            let number = info.ssi_signo.cast_signed();
            if self.exited.is_some() && ![libc::SIGCHLD, libc::SIGWINCH].contains(&number) {
                // Whoever reads our output doesn't, and somebody wants an end of it.
                self.end = self.exited.map(End::Exited);
                return;
            }
            match number {
                libc::SIGCHLD | libc::SIGPIPE => {}
                libc::SIGCONT => self.go_on(),
                // The session tells the command, and once is enough.
                libc::SIGHUP if self.terminal.is_some_and(Local::is_gone) => self.hang_up(),
                libc::SIGWINCH if self.terminal.is_some() => {
                    let size = self.terminal.map(Local::size);
                    self.machine.resized(size.unwrap_or_default());
                }
                _ => {
                    if let Ok(signal) = u8::try_from(number) {
                        self.machine.signal(signal);
                    }
                }
            }
        }
    }

    fn send(&mut self) -> io::Result<()> {
        if self.exited.is_some() {
            return Ok(());
        }
        let count = self.channel.write(self.machine.outgoing())?;
        self.machine.sent(count);
        Ok(())
    }

    /// What the session says of a command that it could not run, and where.
    fn on_node(&self, not: NotRun) -> NotRun {
        NotRun {
            why: format!(
                "node {} {}: {}",
                self.place.life.node, self.place.name, not.why
            ),
            ..not
        }
    }

    fn lost(&mut self, why: &str) {
        if self.end.is_some() || self.exited.is_some() {
            return;
        }
        let Place { life, name } = &self.place;
        self.end = Some(End::Lost {
            why: format!(
                "lost the command on node {} {name}, and how it ends is not known: {why}; see: ssi cluster",
                life.node
            ),
            never_begun: !self.machine.is_met(),
        });
    }
}
