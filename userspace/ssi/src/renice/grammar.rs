//! The command line of renice.

use ssi_api::process::Pid;

use crate::node::Node;
use crate::process::choice;

/// What a command line says.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Invocation {
    Help,
    Change(Asked),
}

/// Whose niceness shall be what.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Asked {
    pub(super) nice: i32,
    /// So much more than it is.
    pub(super) relative: bool,
    pub(super) processes: Vec<Pid>,
    pub(super) groups: Vec<Pid>,
    pub(super) users: Vec<String>,
    /// On which nodes users' processes are; none said: on all.
    pub(super) nodes: Vec<Node>,
}

/// What the words that follow are.
enum Kind {
    Processes,
    Groups,
    Users,
}

pub(super) fn parse(words: &[&str]) -> Result<Invocation, String> {
    let mut asked = Asked::default();
    let mut nice = None;
    let mut kind = Kind::Processes;
    let mut options = true;
    let mut words = words.iter().copied();
    while let Some(word) = words.next() {
        let (name, value) = match word.split_once('=') {
            Some((name, value)) if name.starts_with("--") => (name, Some(value)),
            _ => (word, None),
        };
        let mut with_value = || {
            let value = value.or_else(|| words.next());
            value.ok_or_else(|| format!("{name} wants a value"))
        };
        match name {
            _ if !options => add(&mut asked, &kind, word)?,
            "--" => options = false,
            "--help" => return Ok(Invocation::Help),
            "-n" | "--priority" => nice = Some(number(with_value()?)?),
            "--relative" => {
                asked.relative = true;
                // util-linux: the number follows, or -n has it.
                if let Some(value) = value {
                    nice = Some(number(value)?);
                }
            }
            "-p" | "--pid" => kind = Kind::Processes,
            "-g" | "--pgrp" => kind = Kind::Groups,
            "-u" | "--user" => kind = Kind::Users,
            "--node" => {
                let value = with_value()?;
                // Any text is a node's name, perhaps.
                asked.nodes.extend(choice::list(value).flat_map(str::parse));
            }
            // As renice: a number before all others is the priority.
            _ if nice.is_none() && asked.processes.is_empty() => nice = Some(number(word)?),
            _ if word.starts_with('-') => {
                return Err(format!("there is no option {word}; see: ssi renice --help"));
            }
            _ => add(&mut asked, &kind, word)?,
        }
    }
    let whom = asked.processes.len() + asked.groups.len() + asked.users.len();
    if whom == 0 {
        return Err("whose? see: ssi renice --help".to_owned());
    }
    asked.nice = nice.ok_or("which priority? see: ssi renice --help")?;
    Ok(Invocation::Change(asked))
}

fn add(asked: &mut Asked, kind: &Kind, word: &str) -> Result<(), String> {
    let pids = || choice::pids(word).map_err(|why| with_hint(why, word));
    match kind {
        Kind::Processes => asked.processes.extend(pids()?),
        Kind::Groups => asked.groups.extend(pids()?),
        Kind::Users => asked.users.extend(choice::list(word).map(str::to_owned)),
    }
    Ok(())
}

fn number(text: &str) -> Result<i32, String> {
    text.parse().map_err(|_| {
        let why = format!("{text} is no priority: -20 (first) to 19 (last) are");
        with_hint(why, text)
    })
}

/// What is wrong, and if the word may be a command, as nice(1) takes one, how that is started.
fn with_hint(why: String, word: &str) -> String {
    if word.starts_with(|c: char| c.is_ascii_alphabetic() || matches!(c, '/' | '.')) {
        format!(
            "{why}; this is for processes that run; to start a command with another niceness: nice -n 10 ssi run --node 2 {word}"
        )
    } else {
        why
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn asked(line: &str) -> Asked {
        let words: Vec<_> = line.split_whitespace().collect();
        match parse(&words) {
            Ok(Invocation::Change(asked)) => asked,
            other => panic!("{line}: {other:?}"),
        }
    }

    #[test]
    fn habits() {
        for line in [
            "+5 2/7",
            "5 8388615",
            "-n 5 -p 2/7",
            "--priority=5 --pid 2/7",
            "-n 5 -- 2/7",
        ] {
            let it = asked(line);
            assert_eq!((it.nice, it.relative), (5, false), "{line}");
            assert_eq!(it.processes, ["2/7".parse().expect("a process")], "{line}");
        }
        let it = asked("+1 987 -u daemon,root -g 2/32 --node 3 -p 8");
        assert_eq!(
            (it.processes.len(), it.groups.len(), it.users.len()),
            (2, 1, 2)
        );
        assert_eq!(it.nodes.len(), 1);
        assert!(asked("-n -3 --relative 7").relative);
        assert_eq!(asked("--relative -3 7").nice, -3);
        assert_eq!(asked("-20 7").nice, -20);
    }

    #[test]
    fn nonsense_is_named() {
        for (line, part) in [
            ("", "whose?"),
            ("5", "whose?"),
            ("-n 5", "whose?"),
            ("-n x 7", "x is no priority"),
            ("frob 7", "frob is no priority"),
            ("5 x", "x is no number"),
            ("5 -z 7", "-z"),
            ("-n", "-n wants"),
            ("-u root", "root is no priority"),
            // The habits of nice(1).
            ("-n 10 make", "nice -n 10 ssi run --node 2 make"),
            ("make", "for processes that run"),
            ("-10 ./configure", "nice -n 10 ssi run --node 2 ./configure"),
        ] {
            let words: Vec<_> = line.split_whitespace().collect();
            let said = parse(&words).expect_err(line);
            assert!(said.contains(part), "{line}: {said}");
        }
        let plain = parse(&["5", "7x"]).expect_err("no process");
        assert!(!plain.contains("ssi run"), "{plain}");
    }

    proptest! {
        #[test]
        fn anything_is_taken(words in prop::collection::vec("[-a-z0-9/=,+]{0,12}", 0..5)) {
            let words: Vec<_> = words.iter().map(String::as_str).collect();
            let _ = parse(&words);
        }
    }
}
