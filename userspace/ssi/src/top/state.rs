//! What the screen shows and what keys do to it: no terminal, no clock, no socket.

use ssi_api::process::Target;

use super::order::{Filter, Sort};
use super::seen::{ProcessRow, Seen};
use crate::process::signals;

const TERM: i32 = 15;

/// A key, as far as any is of use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Key {
    Char(char),
    Ctrl(char),
    Enter,
    Escape,
    Backspace,
    Up,
    Down,
    PageUp,
    PageDown,
    Home,
    End,
    /// The next node, or (back) the one before.
    Tab {
        back: bool,
    },
}

/// What a key makes the runner do.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Act {
    Quit,
    Suspend,
    /// Look again, at once.
    Refresh,
    /// Whether arguments are to be fetched.
    Args(bool),
    Signal {
        whom: Target,
        name: String,
        signal: i32,
    },
    Nice {
        whom: Target,
        name: String,
        nice: i32,
    },
}

/// What is being typed.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Question {
    Filter,
    Node,
    Signal { whom: Target, name: String },
    Nice { whom: Target, name: String },
}

impl Question {
    /// What stands before the answer.
    pub(super) fn text(&self) -> String {
        match self {
            Self::Filter => "only names and arguments with (nothing: all): ".to_owned(),
            Self::Node => "only node, number or name (nothing: all): ".to_owned(),
            Self::Signal { name, .. } => format!("signal to {name} [TERM]: "),
            Self::Nice { name, .. } => format!("niceness of {name}, -20 to 19: "),
        }
    }
}

/// What the screen is busy with.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) enum Mode {
    #[default]
    Browse,
    Help,
    Ask(Question, String),
}

/// All of it.
#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) seen: Seen,
    /// Places in `seen.processes` of those that are shown, in their order.
    pub(super) shown: Vec<usize>,
    pub(super) sort: Sort,
    pub(super) filter: Filter,
    /// Place in `shown`.
    pub(super) selected: usize,
    pub(super) mode: Mode,
    pub(super) args: bool,
    /// What went wrong or was done last.
    pub(super) said: String,
    /// How many processes the screen has room for; whoever draws says that.
    pub(super) room: usize,
}

impl State {
    /// New figures. Who was selected stays selected.
    pub(super) fn see(&mut self, seen: Seen) {
        let chosen = self.chosen().map(ProcessRow::target);
        self.seen = seen;
        self.arrange();
        if let Some(chosen) = chosen {
            let mut shown = self.shown.iter();
            let place = shown.position(|at| self.seen.processes[*at].target() == chosen);
            // On top one wants to see whoever is there.
            if let Some(place) = place.filter(|_| self.selected > 0) {
                self.selected = place;
            }
        }
    }

    /// Who is selected.
    pub(super) fn chosen(&self) -> Option<&ProcessRow> {
        let at = self.shown.get(self.selected)?;
        self.seen.processes.get(*at)
    }

    /// Does what a key says.
    pub(super) fn press(&mut self, key: Key) -> Option<Act> {
        match key {
            Key::Ctrl('c') => return Some(Act::Quit),
            Key::Ctrl('z') => return Some(Act::Suspend),
            Key::Ctrl('l') => return Some(Act::Refresh),
            _ => {}
        }
        match std::mem::take(&mut self.mode) {
            Mode::Browse => self.browse(key),
            // Any key ends it.
            Mode::Help => None,
            Mode::Ask(question, typed) => self.type_in(question, typed, key),
        }
    }

    fn browse(&mut self, key: Key) -> Option<Act> {
        self.said.clear();
        let page = self.room.max(1);
        match key {
            Key::Char('q') => return Some(Act::Quit),
            Key::Char('h' | '?') => self.mode = Mode::Help,
            Key::Char(' ') => return Some(Act::Refresh),
            Key::Char('R') => {
                self.sort.turned = !self.sort.turned;
                self.arrange();
            }
            Key::Char('c') => {
                self.args = !self.args;
                return Some(Act::Args(self.args));
            }
            Key::Char('/') => self.mode = Mode::Ask(Question::Filter, self.filter.text.clone()),
            Key::Char('n') => self.mode = Mode::Ask(Question::Node, String::new()),
            Key::Char('k' | 'r') => self.ask_about_chosen(key),
            Key::Char(letter) => {
                if let Some(by) = Sort::by(letter) {
                    self.sort = by;
                    self.selected = 0;
                    self.arrange();
                }
            }
            Key::Escape => {
                self.filter = Filter::default();
                self.arrange();
            }
            Key::Tab { back } => self.jump(back),
            Key::Up => self.selected = self.selected.saturating_sub(1),
            Key::Down => self.select(self.selected.saturating_add(1)),
            Key::PageUp => self.selected = self.selected.saturating_sub(page),
            Key::PageDown => self.select(self.selected.saturating_add(page)),
            Key::Home => self.selected = 0,
            Key::End => self.select(usize::MAX),
            Key::Enter | Key::Backspace | Key::Ctrl(_) => {}
        }
        None
    }

    fn ask_about_chosen(&mut self, key: Key) {
        let Some(row) = self.chosen() else {
            return;
        };
        let (whom, name) = (
            row.target(),
            format!("{} {}", row.number(), row.process.comm),
        );
        let question = match key {
            Key::Char('k') => Question::Signal { whom, name },
            _ => Question::Nice { whom, name },
        };
        self.mode = Mode::Ask(question, String::new());
    }

    fn type_in(&mut self, question: Question, mut typed: String, key: Key) -> Option<Act> {
        match key {
            Key::Escape => return None,
            Key::Enter => return self.answer(question, typed.trim()),
            Key::Char(letter) => typed.push(letter),
            Key::Backspace => drop(typed.pop()),
            _ => {}
        }
        // What is filtered by is seen while it is typed.
        if question == Question::Filter {
            self.filter.text.clone_from(&typed);
            self.arrange();
        }
        self.mode = Mode::Ask(question, typed);
        None
    }

    fn answer(&mut self, question: Question, typed: &str) -> Option<Act> {
        match question {
            Question::Filter => {}
            Question::Node if typed.is_empty() => {
                self.filter.node = None;
                self.arrange();
            }
            Question::Node => {
                let named = |node: &&super::seen::NodeRow| {
                    node.number.to_string() == typed || node.name.eq_ignore_ascii_case(typed)
                };
                match self.seen.nodes.iter().find(named) {
                    Some(node) => self.filter.node = Some(node.number),
                    None => self.said = format!("there is no node {typed}"),
                }
                self.arrange();
            }
            Question::Signal { whom, name } => {
                let signal = match typed {
                    "" => Ok(TERM),
                    typed => signals::number(typed),
                };
                match signal {
                    Ok(signal) => return Some(Act::Signal { whom, name, signal }),
                    Err(why) => self.said = why,
                }
            }
            Question::Nice { whom, name } => match typed.parse() {
                Ok(nice @ -20..20) => return Some(Act::Nice { whom, name, nice }),
                _ if typed.is_empty() => {}
                _ => self.said = format!("{typed} is no niceness: -20 to 19 are"),
            },
        }
        None
    }

    /// Shows the next node alone, after the last one all, or the other way round.
    fn jump(&mut self, back: bool) {
        let nodes = self.seen.nodes.iter().map(|node| Some(node.number));
        let mut places: Vec<_> = [None].into_iter().chain(nodes).collect();
        if back {
            places.reverse();
        }
        let at = places.iter().position(|place| *place == self.filter.node);
        let next = at.map_or(0, |at| (at + 1) % places.len());
        self.filter.node = places[next];
        self.selected = 0;
        self.arrange();
    }

    fn select(&mut self, place: usize) {
        self.selected = place.min(self.shown.len().saturating_sub(1));
    }

    fn arrange(&mut self) {
        self.shown = self.filter.of(&self.seen.processes);
        self.sort.sort(&mut self.shown, &self.seen.processes);
        self.select(self.selected);
    }
}

#[cfg(test)]
mod tests;
