//! `-R`: a file of rules as one list of commands.

use std::io::{self, Read};

use ssi_api::lvs::Command;
use thiserror::Error;

use super::grammar::{self, Action, Names, UsageError};

/// Largest file of rules, in bytes; the control socket takes no longer list either.
const LARGEST: u64 = 32 << 20;

/// A file of rules, understood.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Rules {
    /// What the lines say, in order.
    pub(crate) commands: Vec<Command>,
    /// From which line, counted from 1, each command came.
    pub(crate) lines: Vec<usize>,
    /// What the user should know, with line numbers.
    pub(crate) notes: Vec<String>,
}

/// Why a file of rules cannot be used.
#[derive(Debug, Error)]
pub(crate) enum RulesError {
    #[error("line {line}: {error}")]
    Line { line: usize, error: UsageError },
    #[error("line {line}: only commands that change something can be restored")]
    NoChange { line: usize },
    #[error("more than {LARGEST} bytes of rules")]
    TooLong,
    #[error("cannot read the rules: {0}")]
    Io(#[from] io::Error),
}

/// Reads all of `input`.
pub(crate) fn read(input: impl Read, names: &dyn Names) -> Result<Rules, RulesError> {
    let mut text = String::new();
    let got = input.take(LARGEST + 1).read_to_string(&mut text)? as u64;
    if got > LARGEST {
        return Err(RulesError::TooLong);
    }
    parse(&text, names)
}

/// Each line is the arguments of one call of ipvsadm; the name itself may stand before
/// them. Empty lines and comments are skipped.
pub(crate) fn parse(text: &str, names: &dyn Names) -> Result<Rules, RulesError> {
    let mut rules = Rules::default();
    for (at, text) in text.lines().enumerate() {
        let line = at + 1;
        let mut words: Vec<String> = text.split_whitespace().map(str::to_owned).collect();
        if words.first().is_some_and(|word| word.ends_with("ipvsadm")) {
            words.remove(0);
        }
        if words.first().is_none_or(|word| word.starts_with('#')) {
            continue;
        }
        let invocation =
            grammar::parse(&words, names).map_err(|error| RulesError::Line { line, error })?;
        let Action::Change(command) = invocation.action else {
            return Err(RulesError::NoChange { line });
        };
        rules.commands.push(command);
        rules.lines.push(line);
        for note in invocation.notes {
            rules.notes.push(format!("line {line}: {note}"));
        }
    }
    Ok(rules)
}

#[cfg(test)]
mod tests {
    use super::super::grammar::testing::Fixed;
    use super::*;

    #[test]
    fn what_the_real_ipvsadm_saves() {
        let rules = parse(
            "-A -t 207.175.44.110:80 -s rr\n\
             -a -t 207.175.44.110:80 -r 192.168.10.1:80 -m -w 1\n\
             \n\
             # a comment\n\
             ipvsadm -A -u 10.0.0.1:domain -s sh -p 300 -M 255.255.255.0 -o -b sh-port\n\
             -A -t [2001:db8::80]:http -s wlc -p 360 -M 64\n\
             -a -t [2001:db8::80]:http -r [2001:db8::a0a0]:http -i -w 3 --tun-type ipip \n\
             -A -f 1 -6 -s mh -b flag-1,flag-2\n\
             -a -f 1 -6 -r [2001:db8::1]:0 -g -w 1\n\
             -a -t 207.175.44.110:80 -r 192.168.10.2:81 -g -w 1\n",
            &Fixed,
        )
        .unwrap();
        assert_eq!(rules.commands.len(), 8);
        assert_eq!(rules.lines, [1, 2, 5, 6, 7, 8, 9, 10]);
        assert_eq!(rules.notes.len(), 1);
        assert!(rules.notes[0].starts_with("line 10: only -m can change the port"));
    }

    #[test]
    fn errors_have_line_numbers() {
        let error = |text| parse(text, &Fixed).unwrap_err().to_string();
        assert_eq!(
            error("-C\n\n-A -t 10.0.0.1:80 -s nope\n"),
            "line 3: unknown scheduler \"nope\"; known: rr, wrr, lc, wlc, sh, mh, slot"
        );
        assert!(error("-L").starts_with("line 1: only commands"));
        assert!(error("-R").starts_with("line 1: only commands"));
        assert!(matches!(
            read(io::repeat(b'\n'), &Fixed),
            Err(RulesError::TooLong)
        ));
    }
}
