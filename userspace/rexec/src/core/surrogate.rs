//! The surrogate's end: stands for the command on the node of whoever wants it.

use std::collections::VecDeque;

use super::frame::{Frame, Malformed};
use super::link::Link;
use super::window::{Receiving, Sending};
use super::{Exit, NotRun, Size, Spec, Stream};

/// What a surrogate has to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SurrogateAction {
    /// The command runs, as this process of its node.
    Started {
        /// Its number there.
        pid: u32,
    },
    /// It does not run.
    NotRun(NotRun),
    /// It reads no input any more.
    InputUnwanted,
    /// It was stopped by this signal.
    Stopped(u8),
    /// It has ended, and has read so many bytes of its input.
    Exited(Exit, u64),
}

/// The state.
#[derive(Debug)]
pub struct Surrogate {
    link: Link,
    input: Sending,
    /// Bytes of input that were sent.
    given: u64,
    output: [Receiving; 2],
    actions: VecDeque<SurrogateAction>,
    /// The session has said that it is there.
    met: bool,
    started: bool,
    over: bool,
}

impl Surrogate {
    /// Of a command.
    ///
    /// # Errors
    /// It is too large to be described.
    pub fn new(spec: &Spec) -> Result<Self, postcard::Error> {
        let mut link = Link::default();
        link.say(&Frame::Spec(&postcard::to_stdvec(spec)?));
        Ok(Self {
            link,
            input: Sending::new(),
            given: 0,
            output: [Receiving::new(), Receiving::new()],
            actions: VecDeque::new(),
            met: false,
            started: false,
            over: false,
        })
    }

    /// Takes what the session says.
    ///
    /// # Errors
    /// It makes no sense; nothing that it says later does either.
    pub fn take_in(&mut self, bytes: &[u8]) -> Result<(), Malformed> {
        let Self {
            link,
            input,
            output,
            actions,
            met,
            started,
            over,
            ..
        } = self;
        link.take_in(bytes, |link, frame| {
            if *over {
                return Err(Malformed("a word after the last"));
            }
            if matches!(frame, Frame::Ready) == *met {
                return Err(Malformed("a session that is there twice, or not at all"));
            }
            if !*met {
                *met = true;
                return Ok(());
            }
            let before = matches!(frame, Frame::Started { .. } | Frame::NotRun(_));
            if before == *started {
                return Err(Malformed("a command that starts twice, or not at all"));
            }
            match frame {
                Frame::Started { pid } => {
                    *started = true;
                    actions.push_back(SurrogateAction::Started { pid });
                }
                Frame::NotRun(why) => {
                    *over = true;
                    let why = postcard::from_bytes(why);
                    let why = why.map_err(|_| Malformed("no reason"))?;
                    actions.push_back(SurrogateAction::NotRun(why));
                }
                Frame::Data(stream, bytes) => {
                    let credit = receiving(output, stream)?.take(bytes)?;
                    credited(link, stream, credit);
                }
                Frame::End(stream) => receiving(output, stream)?.end()?,
                Frame::Unwanted(Stream::In) => {
                    input.end();
                    actions.push_back(SurrogateAction::InputUnwanted);
                }
                Frame::Credit(Stream::In, more) => input.credited(more)?,
                Frame::Stopped(signal) => actions.push_back(SurrogateAction::Stopped(signal)),
                Frame::Exited(exit, read) => {
                    *over = true;
                    actions.push_back(SurrogateAction::Exited(exit, read));
                }
                _ => return Err(Malformed("what only a surrogate says")),
            }
            Ok(())
        })
    }

    /// What is to be done next.
    pub fn action(&mut self) -> Option<SurrogateAction> {
        self.actions.pop_front()
    }

    /// What is to be sent.
    #[must_use]
    pub fn outgoing(&self) -> &[u8] {
        if self.met { self.link.outgoing() } else { &[] }
    }

    /// So much of it was.
    pub fn sent(&mut self, bytes: usize) {
        self.link.sent(bytes);
    }

    /// Whether the session has said that it is there: nothing is said to it before.
    #[must_use]
    pub fn is_met(&self) -> bool {
        self.met
    }

    /// How much input can be taken now.
    #[must_use]
    pub fn room(&self) -> usize {
        if self.link.is_full() || !self.started {
            0
        } else {
            self.input.room()
        }
    }

    /// Whether input is over: it has ended, or is not wanted.
    #[must_use]
    pub fn input_is_over(&self) -> bool {
        self.input.is_over()
    }

    /// Takes input, not more than there is [`room`](Self::room) for.
    pub fn input(&mut self, bytes: &[u8]) {
        if bytes.is_empty() || self.input.is_over() {
            return;
        }
        self.input.sent(bytes.len());
        self.given += bytes.len() as u64;
        self.link.say(&Frame::Data(Stream::In, bytes));
    }

    /// Bytes of input that have been sent.
    #[must_use]
    pub fn given(&self) -> u64 {
        self.given
    }

    /// There is no more input.
    pub fn input_ended(&mut self) {
        if !self.input.is_over() {
            self.input.end();
            self.link.say(&Frame::End(Stream::In));
        }
    }

    /// What is to be written to a stream.
    #[must_use]
    pub fn pending(&self, stream: Stream) -> &[u8] {
        written(&self.output, stream).map_or(&[], Receiving::pending)
    }

    /// So much of it was.
    pub fn wrote(&mut self, stream: Stream, bytes: usize) {
        if let Ok(receiving) = receiving(&mut self.output, stream) {
            let credit = receiving.wrote(bytes);
            credited(&mut self.link, stream, credit);
        }
    }

    /// Nobody reads a stream any more.
    pub fn unwanted(&mut self, stream: Stream) {
        if let Ok(receiving) = receiving(&mut self.output, stream) {
            let (new, credit) = receiving.refuse();
            if new {
                self.link.say(&Frame::Unwanted(stream));
            }
            credited(&mut self.link, stream, credit);
        }
    }

    /// Whether all of a stream has come and was written, or nobody wants it.
    #[must_use]
    pub fn is_over(&self, stream: Stream) -> bool {
        written(&self.output, stream).is_none_or(Receiving::is_over)
    }

    /// A signal for the command.
    pub fn signal(&mut self, signal: u8) {
        self.link.say(&Frame::Signal(signal));
    }

    /// The terminal has another size.
    pub fn resized(&mut self, size: Size) {
        self.link.say(&Frame::Size(size));
    }

    /// The command is to go on.
    pub fn go_on(&mut self, foreground: bool) {
        self.link.say(&Frame::Continue { foreground });
    }
}

fn place(stream: Stream) -> Option<usize> {
    Stream::WRITTEN.iter().position(|known| *known == stream)
}

fn written(output: &[Receiving; 2], stream: Stream) -> Option<&Receiving> {
    place(stream).map(|place| &output[place])
}

fn receiving(output: &mut [Receiving; 2], stream: Stream) -> Result<&mut Receiving, Malformed> {
    let place = place(stream).ok_or(Malformed("output on standard input"))?;
    Ok(&mut output[place])
}

fn credited(link: &mut Link, stream: Stream, credit: Option<u32>) {
    if let Some(more) = credit {
        link.say(&Frame::Credit(stream, more));
    }
}
