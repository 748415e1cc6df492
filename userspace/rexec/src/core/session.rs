//! The session's end: has the command, on its node.

use std::collections::VecDeque;

use super::frame::{Frame, Malformed};
use super::link::Link;
use super::window::{Receiving, Sending};
use super::{Exit, NotRun, Size, Spec, Stream};

/// What a session has to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SessionAction {
    /// Start the command.
    Start(Box<Spec>),
    /// Send it a signal.
    Signal(u8),
    /// Give its terminal another size.
    Resize(Size),
    /// Let it go on, in the foreground or not.
    Continue {
        /// Whether what is typed is for it.
        foreground: bool,
    },
    /// Nobody reads this output of it any more.
    OutputUnwanted(Stream),
}

/// The state.
#[derive(Debug)]
pub struct Session {
    link: Link,
    input: Receiving,
    output: [Sending; 2],
    actions: VecDeque<SessionAction>,
    told: bool,
    /// The last word was said.
    over: bool,
}

impl Default for Session {
    fn default() -> Self {
        Self::new()
    }
}

impl Session {
    /// Of a command that is not known yet.
    #[must_use]
    pub fn new() -> Self {
        let mut link = Link::default();
        link.say(&Frame::Ready);
        Self {
            link,
            input: Receiving::new(),
            output: [Sending::new(), Sending::new()],
            actions: VecDeque::new(),
            told: false,
            over: false,
        }
    }

    /// Takes what the surrogate says.
    ///
    /// # Errors
    /// It makes no sense; nothing that it says later does either.
    pub fn take_in(&mut self, bytes: &[u8]) -> Result<(), Malformed> {
        let Self {
            link,
            input,
            output,
            actions,
            told,
            ..
        } = self;
        link.take_in(bytes, |link, frame| {
            if matches!(frame, Frame::Spec(_)) == *told {
                return Err(Malformed("not one command, first of all"));
            }
            match frame {
                Frame::Spec(bytes) => {
                    let spec: Spec = postcard::from_bytes(bytes)
                        .map_err(|_| Malformed("no description of a command"))?;
                    if spec.args.is_empty() {
                        return Err(Malformed("a command without a name"));
                    }
                    *told = true;
                    actions.push_back(SessionAction::Start(Box::new(spec)));
                }
                Frame::Data(Stream::In, bytes) => {
                    let credit = input.take(bytes)?;
                    credited(link, credit);
                }
                Frame::End(Stream::In) => input.end()?,
                Frame::Unwanted(stream) => {
                    sending(output, stream)?.end();
                    actions.push_back(SessionAction::OutputUnwanted(stream));
                }
                Frame::Credit(stream, more) => sending(output, stream)?.credited(more)?,
                Frame::Size(size) => actions.push_back(SessionAction::Resize(size)),
                Frame::Signal(signal) => actions.push_back(SessionAction::Signal(signal)),
                Frame::Continue { foreground } => {
                    actions.push_back(SessionAction::Continue { foreground });
                }
                _ => return Err(Malformed("what only a session says")),
            }
            Ok(())
        })
    }

    /// What is to be done next.
    pub fn action(&mut self) -> Option<SessionAction> {
        self.actions.pop_front()
    }

    /// What is to be sent.
    #[must_use]
    pub fn outgoing(&self) -> &[u8] {
        self.link.outgoing()
    }

    /// So much of it was.
    pub fn sent(&mut self, bytes: usize) {
        self.link.sent(bytes);
    }

    /// Whether everything was said and has gone out.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.over && self.link.outgoing().is_empty()
    }

    /// What the command is to read next.
    #[must_use]
    pub fn pending(&self) -> &[u8] {
        self.input.pending()
    }

    /// It was given so much of it.
    pub fn wrote(&mut self, bytes: usize) {
        let credit = self.input.wrote(bytes);
        credited(&mut self.link, credit);
    }

    /// It reads no more.
    pub fn input_unwanted(&mut self) {
        let (new, credit) = self.input.refuse();
        if new {
            self.link.say(&Frame::Unwanted(Stream::In));
        }
        credited(&mut self.link, credit);
    }

    /// Whether it was given all input, or wants none.
    #[must_use]
    pub fn input_is_over(&self) -> bool {
        self.input.is_over()
    }

    /// How much output of a stream can be taken now.
    #[must_use]
    pub fn room(&self, stream: Stream) -> usize {
        if self.link.is_full() {
            return 0;
        }
        place(stream).map_or(0, |place| self.output[place].room())
    }

    /// Takes output, not more than there is [`room`](Self::room) for.
    pub fn output(&mut self, stream: Stream, bytes: &[u8]) {
        if let Ok(sending) = sending(&mut self.output, stream)
            && !sending.is_over()
            && !bytes.is_empty()
        {
            sending.sent(bytes.len());
            self.link.say(&Frame::Data(stream, bytes));
        }
    }

    /// A stream has ended.
    pub fn output_ended(&mut self, stream: Stream) {
        if let Ok(sending) = sending(&mut self.output, stream)
            && !sending.is_over()
        {
            sending.end();
            self.link.say(&Frame::End(stream));
        }
    }

    /// The command runs, as this process.
    pub fn started(&mut self, pid: u32) {
        self.link.say(&Frame::Started { pid });
    }

    /// It does not.
    pub fn not_run(&mut self, why: &NotRun) {
        let mut why = why.clone();
        // The surrogate takes no long stories.
        while why.why.len() > 3000 {
            why.why.pop();
        }
        // A number and a string: this does not fail.
        let said = postcard::to_stdvec(&why).unwrap_or_default();
        self.link.say(&Frame::NotRun(&said));
        self.over = true;
    }

    /// It was stopped by this signal.
    pub fn stopped(&mut self, signal: u8) {
        self.link.say(&Frame::Stopped(signal));
    }

    /// It has ended, having read so many bytes of its input, and all its output was taken.
    pub fn exited(&mut self, exit: Exit, read: u64) {
        self.link.say(&Frame::Exited(exit, read));
        self.over = true;
    }
}

fn place(stream: Stream) -> Option<usize> {
    Stream::WRITTEN.iter().position(|known| *known == stream)
}

fn sending(output: &mut [Sending; 2], stream: Stream) -> Result<&mut Sending, Malformed> {
    let place = place(stream).ok_or(Malformed("output on standard input"))?;
    Ok(&mut output[place])
}

fn credited(link: &mut Link, credit: Option<u32>) {
    if let Some(more) = credit {
        link.say(&Frame::Credit(Stream::In, more));
    }
}
