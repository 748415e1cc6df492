//! The terminal: keys, signals and figures in, the screen out.
//!
//! Each comes from a thread of its own, so that nobody waits for another; this one draws.

use std::io;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{SigSet, Signal, kill};
use nix::unistd::Pid;
use ratatui::backend::CrosstermBackend;
use ratatui::crossterm::event::{self, Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use ratatui::crossterm::execute;
use ratatui::crossterm::terminal::{Clear, ClearType, EnterAlternateScreen, enable_raw_mode};
use ratatui::{DefaultTerminal, Terminal};

use super::look::Looker;
use super::seen::Seen;
use super::state::{Act, Key, State};
use super::{Options, draw};
use crate::fail::Fail;
use crate::{process, renice};

/// What happens.
enum Happening {
    Key(Key),
    Resized,
    Seen(Result<Box<Seen>, String>),
    /// What became of a signal or a change of niceness.
    Said(String),
    Suspend,
    End,
}

/// Shows it until somebody has seen enough.
pub(super) fn run(mut looker: Looker, options: &Options) -> Result<(), Fail> {
    // What is wrong from the beginning is said without a screen.
    let first = looker.look(options.args)?;
    let mut state = State {
        args: options.args,
        ..State::default()
    };
    state.see(first);
    let (happens, happenings) = mpsc::channel();
    let (acts, to_do) = mpsc::channel();
    on_signals(happens.clone()).map_err(cannot)?;
    // From here on a panic restores the terminal, too.
    let mut terminal = ratatui::try_init().map_err(cannot)?;
    on_keys(happens.clone());
    let (delay, args) = (options.delay, options.args);
    thread::spawn(move || look(looker, delay, args, &to_do, &happens));
    let result = show(&mut terminal, &mut state, options, &happenings, &acts);
    ratatui::restore();
    result.map_err(cannot)
}

fn cannot(error: io::Error) -> Fail {
    Fail::Failed(format!("cannot use the terminal: {error}"))
}

fn show(
    terminal: &mut DefaultTerminal,
    state: &mut State,
    options: &Options,
    happenings: &Receiver<Happening>,
    acts: &Sender<Act>,
) -> io::Result<()> {
    let mut looks = 1;
    loop {
        terminal.draw(|frame| draw::draw(frame, state))?;
        if options.iterations.is_some_and(|wanted| looks > wanted) {
            return Ok(());
        }
        let Ok(first) = happenings.recv() else {
            return Ok(());
        };
        // All that has happened by now is drawn at once.
        let more: Vec<_> = happenings.try_iter().collect();
        for happening in [first].into_iter().chain(more) {
            match happening {
                Happening::End => return Ok(()),
                Happening::Resized => {}
                Happening::Said(said) => state.said = said,
                Happening::Seen(seen) => {
                    looks += 1;
                    match seen {
                        Ok(seen) => state.see(*seen),
                        Err(why) => state.said = format!("{why}; trying again"),
                    }
                }
                Happening::Suspend => suspend(terminal)?,
                Happening::Key(key) => match state.press(key) {
                    Some(Act::Quit) => return Ok(()),
                    // Of the whole job, as the terminal would do it; we are told like everybody.
                    Some(Act::Suspend) => kill(Pid::from_raw(0), Signal::SIGTSTP)?,
                    // The other thread has ended only if we have.
                    Some(act) => drop(acts.send(act)),
                    None => {}
                },
            }
        }
    }
}

/// Gives the terminal back until somebody continues us.
fn suspend(terminal: &mut DefaultTerminal) -> io::Result<()> {
    terminal.show_cursor()?;
    ratatui::try_restore()?;
    kill(Pid::this(), Signal::SIGSTOP)?;
    enable_raw_mode()?;
    execute!(io::stdout(), EnterAlternateScreen, Clear(ClearType::All))?;
    // One that knows nothing of what was there draws all. Clearing would ask the terminal where
    // its cursor is, and the answer would go to whoever waits for keys.
    *terminal = Terminal::new(CrosstermBackend::new(io::stdout()))?;
    Ok(())
}

/// Has signals come as happenings, in all threads that begin later.
fn on_signals(happens: Sender<Happening>) -> io::Result<()> {
    let mut signals = SigSet::empty();
    for signal in [
        Signal::SIGINT,
        Signal::SIGTERM,
        Signal::SIGHUP,
        Signal::SIGTSTP,
    ] {
        signals.add(signal);
    }
    signals.thread_block()?;
    thread::spawn(move || {
        while let Ok(signal) = signals.wait() {
            let happening = match signal {
                Signal::SIGTSTP => Happening::Suspend,
                _ => Happening::End,
            };
            if happens.send(happening).is_err() {
                return;
            }
        }
    });
    Ok(())
}

fn on_keys(happens: Sender<Happening>) {
    thread::spawn(move || {
        loop {
            let happening = match event::read() {
                Ok(Event::Key(event)) => key(event).map(Happening::Key),
                Ok(Event::Resize(..)) => Some(Happening::Resized),
                Ok(_) => None,
                // The terminal has gone.
                Err(_) => Some(Happening::End),
            };
            let ends = matches!(happening, Some(Happening::End));
            let sent = happening.map_or(Ok(()), |happening| happens.send(happening));
            if ends || sent.is_err() {
                return;
            }
        }
    });
}

fn key(event: KeyEvent) -> Option<Key> {
    if event.kind == KeyEventKind::Release {
        return None;
    }
    Some(match event.code {
        KeyCode::Char(letter) if event.modifiers.contains(KeyModifiers::CONTROL) => {
            Key::Ctrl(letter.to_ascii_lowercase())
        }
        KeyCode::Char(letter) => Key::Char(letter),
        KeyCode::Enter => Key::Enter,
        KeyCode::Esc => Key::Escape,
        KeyCode::Backspace => Key::Backspace,
        KeyCode::Up => Key::Up,
        KeyCode::Down => Key::Down,
        KeyCode::PageUp => Key::PageUp,
        KeyCode::PageDown => Key::PageDown,
        KeyCode::Home => Key::Home,
        KeyCode::End => Key::End,
        KeyCode::Tab => Key::Tab { back: false },
        KeyCode::BackTab => Key::Tab { back: true },
        _ => return None,
    })
}

/// Looks again and again, and does what is to be done, until nobody listens.
fn look(
    mut looker: Looker,
    delay: Duration,
    mut args: bool,
    to_do: &Receiver<Act>,
    happens: &Sender<Happening>,
) {
    let mut next = Instant::now() + delay;
    loop {
        match to_do.recv_timeout(next.saturating_duration_since(Instant::now())) {
            Ok(Act::Args(wanted)) => args = wanted,
            Ok(Act::Refresh) | Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
            Ok(act) => {
                let said = done(&looker, act).unwrap_or_else(said);
                if happens.send(Happening::Said(said)).is_err() {
                    return;
                }
            }
        }
        // Looking at many takes its time, which counts.
        next = Instant::now() + delay;
        let seen = looker.look(args).map(Box::new).map_err(said);
        if happens.send(Happening::Seen(seen)).is_err() {
            return;
        }
    }
}

/// Does it; says how that went.
fn done(looker: &Looker, act: Act) -> Result<String, Fail> {
    let mut client = looker.common.connect()?;
    Ok(match act {
        Act::Signal { whom, name, signal } => {
            let sent = process::send(&mut client, signal, vec![whom], false)?;
            let why = sent
                .first()
                .and_then(|sent| process::why("process", whom.node, sent));
            match why {
                Some(why) => format!("{name}: {why}"),
                None => format!("{name}: signal {} sent", process::signals::name(signal)),
            }
        }
        Act::Nice { whom, name, nice } => {
            let niced = renice::change(&mut client, nice, false, vec![whom])?;
            match niced.first().map(|niced| renice::why(whom.node, niced)) {
                Some(Ok((old, new))) => format!("{name}: niceness was {old}, is {new}"),
                Some(Err(why)) => format!("{name}: {why}"),
                None => String::new(),
            }
        }
        _ => String::new(),
    })
}

fn said(fail: Fail) -> String {
    match fail {
        Fail::Failed(why) | Fail::Usage(why) | Fail::Unreachable(why) | Fail::Fatal(why) => why,
        Fail::No | Fail::Partial | Fail::Status(_) => String::new(),
    }
}
