//! The surrogate: the local child that stands for a command of another node.

mod meet;
mod report;
mod serve;
mod stop;
mod streams;
mod terminal;

use std::ffi::OsString;
use std::io::IsTerminal as _;
use std::os::fd::RawFd;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use self::meet::{Met, meet};
use self::report::Report;
pub use self::report::Told;
use self::serve::{End, Serve};
use self::terminal::Local;
use super::descriptors;
use super::signals;
use super::{NoAnswer, Talk};
use crate::core::{Answer, Ask, Exit, LOST, Nodes, NotRun, Spec, Whom};

/// How long it is tried to meet a session, as long as it is sure that none has begun.
const PATIENCE: Duration = Duration::from_secs(10);
/// Before it is tried again.
const AGAIN: Duration = Duration::from_millis(50);

/// What shall be run, and how.
#[derive(Clone, Debug)]
pub struct Wish {
    /// What we are called, for messages.
    pub name: String,
    /// The daemon's socket.
    pub socket: PathBuf,
    /// Where the command shall run.
    pub whom: Whom,
    /// The command and its arguments.
    pub args: Vec<OsString>,
    /// It shall stay on that node.
    pub pinned: bool,
    /// With the node's own environment and directory instead of ours.
    pub own_context: bool,
    /// Whether it gets a terminal.
    pub terminals: Terminals,
    /// Nobody waits for it.
    pub detached: bool,
    /// Nothing is read for it.
    pub no_input: bool,
    /// Say where it runs.
    pub verbose: bool,
    /// A descriptor of ours where a program wants to read which process it is, or why there
    /// is none, instead of a message about that.
    pub report: Option<RawFd>,
}

/// Whether a command gets a terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Terminals {
    /// If our standard input and output are one.
    Auto,
    /// If our standard input is one.
    Always,
    /// It doesn't.
    Never,
}

/// Runs it to its end; the exit status that we end with. If the command was killed, we are, by
/// the same signal.
#[must_use]
pub fn run(wish: &Wish) -> u8 {
    let said = |why: &str| {
        // What another node says may have anything in it.
        let plain = why.chars().map(|c| if c.is_control() { ' ' } else { c });
        eprintln!("{}: {}", wish.name, plain.collect::<String>());
    };
    let mut report = wish.report.map(Report::to);
    let end = attempts(wish, report.as_mut());
    let tell = |not: NotRun| {
        match report.filter(Report::is_waiting) {
            Some(mut report) => report.not_run(&not),
            None => said(&not.why),
        }
        not.status
    };
    match end {
        Ok(End::Detached(place, pid)) => {
            println!("{}/{pid}", place.life.node);
            0
        }
        Ok(End::Exited(Exit::Code(code))) => code,
        Ok(End::Exited(Exit::Signal(signal))) => signals::die_by(signal),
        Ok(End::Lost { why, .. }) => tell(NotRun { status: LOST, why }),
        Ok(End::NotRun(not)) | Err(not) => tell(not),
    }
}

/// The nodes that there are, those of a class, or the one that would be chosen.
///
/// # Errors
/// The daemon doesn't say.
pub fn nodes(socket: &Path, whom: Option<Whom>) -> Result<Nodes, NotRun> {
    match ask(socket, &Ask::Nodes(whom))?.0 {
        Answer::Nodes(nodes) => Ok(nodes),
        Answer::Refused(why) => Err(NotRun::failed(why)),
        _ => Err(NotRun::failed("ssid answered something else")),
    }
}

/// Asks the daemon; one that is just being restarted is waited for.
fn ask(socket: &Path, question: &Ask) -> Result<(Answer, Talk), NotRun> {
    let until = Instant::now() + PATIENCE;
    loop {
        let asked = Talk::open(socket).and_then(|mut talk| Ok((talk.ask(question)?, talk)));
        match asked {
            Ok(answer) => return Ok(answer),
            Err(why) if Instant::now() < until && passing(&why) => std::thread::sleep(AGAIN),
            Err(why) => return Err(NotRun::failed(why.to_string())),
        }
    }
}

/// Whether a daemon was there, and has ended: another will come, perhaps.
fn passing(why: &NoAnswer) -> bool {
    use std::io::ErrorKind::{ConnectionRefused, ConnectionReset, UnexpectedEof, WouldBlock};
    match why {
        NoAnswer::Unreachable { source, .. } => {
            matches!(source.kind(), ConnectionRefused | WouldBlock)
        }
        NoAnswer::Lost(source) => matches!(source.kind(), ConnectionReset | UnexpectedEof),
    }
}

fn attempts(wish: &Wish, mut report: Option<&mut Report>) -> Result<End, NotRun> {
    let until = Instant::now() + PATIENCE;
    let terminal = local(wish);
    let spec = spec(wish, terminal.as_ref())?;
    loop {
        let Met {
            place,
            channel,
            news,
        } = meet(wish, until)?;
        let serve = Serve::new(wish, &spec, place, channel, news, terminal.as_ref())?;
        let end = serve.run(report.as_deref_mut());
        match end {
            End::Lost {
                never_begun: true, ..
            } if Instant::now() < until => std::thread::sleep(AGAIN),
            end => return Ok(end),
        }
    }
}

/// The terminal that the command is to have one like.
fn local(wish: &Wish) -> Option<Local> {
    let (input, output) = (
        std::io::stdin().is_terminal(),
        std::io::stdout().is_terminal(),
    );
    let wanted = match wish.terminals {
        Terminals::Auto => input && output,
        Terminals::Always => input,
        Terminals::Never => false,
    };
    let wanted = wanted && !wish.detached && !wish.no_input;
    wanted.then(Local::open).flatten()
}

/// The directory that we are in, which may have been removed: then there is none to run it in,
/// and it is certainly not meant for another one.
fn directory() -> Result<Vec<u8>, NotRun> {
    let found = std::env::current_dir().map_err(|error| {
        NotRun::failed(format!(
            "the directory that this runs in can't be found any more ({error}); go elsewhere first, or take -l for the node's own context"
        ))
    })?;
    Ok(found.into_os_string().into_vec())
}

fn spec(wish: &Wish, terminal: Option<&Local>) -> Result<Spec, NotRun> {
    let bytes = |text: &OsString| text.as_bytes().to_vec();
    let kept = |name: &OsString| !wish.own_context || name == "TERM";
    let variables = std::env::vars_os().filter(|(name, _)| kept(name));
    let environment = variables.map(|(name, value)| {
        let mut entry = name.into_vec();
        entry.push(b'=');
        entry.extend_from_slice(value.as_bytes());
        entry
    });
    Ok(Spec {
        args: wish.args.iter().map(bytes).collect(),
        environment: environment.collect(),
        own_context: wish.own_context,
        input_counts: descriptors::is_file(std::io::stdin()),
        directory: (!wish.own_context).then(directory).transpose()?,
        ignored: signals::ignored(),
        foreground: terminal.is_some_and(Local::is_foreground),
        errors_apart: terminal.is_some() && !std::io::stderr().is_terminal(),
        terminal: terminal.and_then(Local::describe),
        detached: wish.detached,
    })
}
