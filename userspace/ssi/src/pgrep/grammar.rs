//! The command lines of pgrep and pkill.

use nix::unistd::{getpgrp, getsid};
use ssi_api::process::Pid;

use crate::node::Node;
use crate::output::Format;
use crate::process::{choice, signals};

/// Which of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Program {
    Grep,
    Kill,
}

/// What a command line says.
#[derive(Debug)]
pub(super) enum Invocation {
    Help,
    Do(Box<Asked>),
}

/// Only one of those that match.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Only {
    Newest,
    Oldest,
}

/// What is printed of each besides its number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Beside {
    #[default]
    Nothing,
    Name,
    Args,
}

/// Who is looked for, and what is done then. Empty lists are of no account.
#[derive(Debug, Default)]
pub(super) struct Asked {
    pub(super) pattern: Option<String>,
    /// The pattern is for the arguments, not the name.
    pub(super) full: bool,
    pub(super) exact: bool,
    pub(super) ignore_case: bool,
    pub(super) inverse: bool,
    pub(super) only: Option<Only>,
    /// Effective and real users.
    pub(super) users: Vec<String>,
    pub(super) real_users: Vec<String>,
    pub(super) groups: Vec<Pid>,
    pub(super) sessions: Vec<Pid>,
    pub(super) parents: Vec<Pid>,
    pub(super) terminals: Vec<String>,
    pub(super) states: String,
    pub(super) nodes: Vec<Node>,
    pub(super) beside: Beside,
    pub(super) count: bool,
    pub(super) quiet: bool,
    /// pkill: says whom it has signalled.
    pub(super) echo: bool,
    pub(super) delimiter: Option<String>,
    pub(super) signal: Option<i32>,
    pub(super) output: Option<Format>,
}

impl Asked {
    fn has_criteria(&self) -> bool {
        let lists = [&self.groups, &self.sessions, &self.parents];
        let words = [&self.users, &self.real_users, &self.terminals];
        self.pattern.is_some()
            || self.only.is_some()
            || !self.states.is_empty()
            || !self.nodes.is_empty()
            || lists.iter().any(|list| !list.is_empty())
            || words.iter().any(|list| !list.is_empty())
    }
}

/// Long options, and the letters that mean the same; `N` is `--node`, `O` is `--output`.
const LONG: &[(&str, char)] = &[
    ("full", 'f'),
    ("exact", 'x'),
    ("ignore-case", 'i'),
    ("inverse", 'v'),
    ("newest", 'n'),
    ("oldest", 'o'),
    ("list-name", 'l'),
    ("list-full", 'a'),
    ("count", 'c'),
    ("quiet", 'q'),
    ("echo", 'e'),
    ("euid", 'u'),
    ("uid", 'U'),
    ("pgroup", 'g'),
    ("session", 's'),
    ("parent", 'P'),
    ("terminal", 't'),
    ("runstates", 'r'),
    ("delimiter", 'd'),
    ("signal", 'S'),
    ("node", 'N'),
    ("output", 'O'),
];

pub(super) fn parse(words: &[&str], program: Program) -> Result<Invocation, String> {
    let mut asked = Asked::default();
    let mut options = true;
    let mut words = words.iter().copied();
    while let Some(word) = words.next() {
        if options && word == "--" {
            options = false;
        } else if options && word == "--help" {
            return Ok(Invocation::Help);
        } else if let Some(long) = word.strip_prefix("--").filter(|_| options) {
            let (name, value) = match long.split_once('=') {
                Some((name, value)) => (name, Some(value)),
                None => (long, None),
            };
            let letter = LONG.iter().find(|(known, _)| *known == name);
            let letter = letter
                .map(|(_, letter)| *letter)
                .ok_or_else(|| unknown(word, program))?;
            match (wants_value(letter), value) {
                (false, Some(_)) => return Err(format!("--{name} wants no value")),
                (false, None) => flag(&mut asked, letter, program)?,
                (true, value) => {
                    let value = value.or_else(|| words.next());
                    let value = value.ok_or_else(|| format!("--{name} wants a value"))?;
                    with_value(&mut asked, letter, value)?;
                }
            }
        } else if let Some(cluster) = word
            .strip_prefix('-')
            .filter(|rest| options && !rest.is_empty())
        {
            // As pkill: what is the name of a signal is no cluster of options.
            let signal = signals::number(cluster)
                .ok()
                .filter(|_| program == Program::Kill);
            if signal.is_some() {
                asked.signal = signal;
                continue;
            }
            for (at, letter) in cluster.char_indices() {
                if matches!(letter, 'N' | 'O' | 'S') {
                    return Err(unknown(&format!("-{letter}"), program));
                }
                if wants_value(letter) {
                    let rest = &cluster[at + letter.len_utf8()..];
                    let value = Some(rest).filter(|rest| !rest.is_empty());
                    let value = value.or_else(|| words.next());
                    let value = value.ok_or_else(|| format!("-{letter} wants a value"))?;
                    with_value(&mut asked, letter, value)?;
                    break;
                }
                flag(&mut asked, letter, program)?;
            }
        } else if asked.pattern.replace(word.to_owned()).is_some() {
            return Err(format!(
                "only one pattern, and {word} is another; a|b is either"
            ));
        }
    }
    if !asked.has_criteria() {
        return Err(format!("whom? see: ssi {} --help", program.name()));
    }
    Ok(Invocation::Do(Box::new(asked)))
}

impl Program {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Grep => "pgrep",
            Self::Kill => "pkill",
        }
    }
}

fn unknown(option: &str, program: Program) -> String {
    let name = program.name();
    format!("there is no option {option}; see: ssi {name} --help")
}

const fn wants_value(letter: char) -> bool {
    matches!(
        letter,
        'u' | 'U' | 'g' | 's' | 'P' | 't' | 'r' | 'd' | 'S' | 'N' | 'O'
    )
}

fn flag(asked: &mut Asked, letter: char, program: Program) -> Result<(), String> {
    use Program::{Grep, Kill};
    match (letter, program) {
        ('f', _) => asked.full = true,
        ('x', _) => asked.exact = true,
        ('i', _) => asked.ignore_case = true,
        ('n' | 'o', _) => {
            let only = if letter == 'n' {
                Only::Newest
            } else {
                Only::Oldest
            };
            let before = asked.only.replace(only);
            if before.is_some_and(|before| before != only) {
                return Err("-n and -o exclude each other".to_owned());
            }
        }
        ('c', _) => asked.count = true,
        // As pkill: too dangerous as a letter... and of little use.
        ('v', Grep) => asked.inverse = true,
        ('l', Grep) => asked.beside = Beside::Name,
        ('a', Grep) => asked.beside = Beside::Args,
        ('q', Grep) => asked.quiet = true,
        ('e', Kill) => asked.echo = true,
        _ => return Err(unknown(&format!("-{letter}"), program)),
    }
    Ok(())
}

fn with_value(asked: &mut Asked, letter: char, value: &str) -> Result<(), String> {
    let words = || choice::list(value).map(str::to_owned);
    match letter {
        'u' => asked.users.extend(words()),
        'U' => asked.real_users.extend(words()),
        'g' => asked
            .groups
            .extend(pids_or_own(value, "process group", getpgrp())?),
        's' => {
            let own = getsid(None).map_err(|why| format!("one's own session: {why}"))?;
            asked.sessions.extend(pids_or_own(value, "session", own)?);
        }
        'P' => asked.parents.extend(choice::pids(value)?),
        't' => {
            let names = choice::list(value).map(|name| name.trim_start_matches("/dev/"));
            asked.terminals.extend(names.map(str::to_owned));
        }
        'r' => asked.states.extend(value.chars().filter(|c| *c != ',')),
        'd' => asked.delimiter = Some(value.to_owned()),
        'S' => asked.signal = Some(signals::number(value)?),
        'O' => {
            let format = value.parse();
            let format = format.map_err(|why: ssi_api::lvs::UnknownName| why.to_string());
            asked.output = Some(format?);
        }
        // Any text is a node's name, perhaps.
        _ => asked.nodes.extend(choice::list(value).flat_map(str::parse)),
    }
    Ok(())
}

/// A list of groups or sessions, in which 0 is one's own. The kernel calls the own one 0 too
/// when its leader is outside of the pid namespace, in a container, say: it has no number here.
fn pids_or_own(value: &str, kind: &str, own: nix::unistd::Pid) -> Result<Vec<Pid>, String> {
    let mut all = Vec::new();
    for word in choice::list(value) {
        if word != "0" {
            all.extend(choice::pids(word)?);
            continue;
        }
        let own = u32::try_from(own.as_raw()).ok().filter(|own| *own != 0);
        let own = own.ok_or_else(|| {
            format!("0: the leader of one's own {kind} is outside of this pid namespace")
        })?;
        all.push(Pid::Here(own));
    }
    Ok(all)
}

#[cfg(test)]
mod tests;
