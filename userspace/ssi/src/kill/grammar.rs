//! The command line of kill.

use ssi_api::process::{NoPid, Pid};

use crate::process::{choice, signals};

/// What a command line says.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Invocation {
    Help,
    /// The names of all signals, or what these are.
    List(Vec<String>),
    Send {
        signal: i32,
        targets: Vec<Whom>,
    },
}

/// What a number is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Process,
    Group,
    Session,
}

/// A process, or several.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Whom {
    pub(super) pid: Pid,
    pub(super) kind: Kind,
}

const TERM: i32 = 15;

pub(super) fn parse(words: &[&str]) -> Result<Invocation, String> {
    let (mut signal, mut targets) = (None, Vec::new());
    let (mut options, mut ended) = (true, false);
    let mut words = words.iter().copied();
    while let Some(word) = words.next() {
        match word {
            "--" if options => (options, ended) = (false, true),
            "--help" if options => return Ok(Invocation::Help),
            "-l" | "-L" | "--list" if options => {
                return Ok(Invocation::List(words.map(str::to_owned).collect()));
            }
            "-s" | "-n" | "--signal" if options => {
                let value = words.next();
                let value = value.ok_or_else(|| format!("{word} wants a signal"))?;
                signal = Some(signals::number(value)?);
            }
            // It is nothing else, wherever it stands.
            "--session" if !ended => {
                let value = words.next();
                targets.extend(sessions(value.unwrap_or_default())?);
            }
            _ if !ended && word.starts_with("--session=") => {
                targets.extend(sessions(&word["--session=".len()..])?);
            }
            _ if options && word.starts_with("--signal=") => {
                signal = Some(signals::number(&word["--signal=".len()..])?);
            }
            _ if options && signal.is_none() && word.starts_with('-') => {
                let number = signals::number(&word[1..]);
                signal = Some(number.map_err(|why| match word.parse::<i32>() {
                    Ok(_) => format!("{why} (a process group: ssi kill -- {word})"),
                    Err(_) => why,
                })?);
            }
            _ => {
                // As in kill: a number below 0 is a signal only at the front.
                options &= word.starts_with('-') && signal.is_none();
                targets.push(whom(word)?);
            }
        }
    }
    if targets.is_empty() {
        return Err("which process? see: ssi kill --help".to_owned());
    }
    Ok(Invocation::Send {
        signal: signal.unwrap_or(TERM),
        targets,
    })
}

fn whom(word: &str) -> Result<Whom, String> {
    let (number, group) = match (word.strip_prefix('-'), word.split_once("/-")) {
        (Some(number), _) => (number.to_owned(), true),
        (None, Some((node, number))) => (format!("{node}/{number}"), true),
        (None, None) => (word.to_owned(), false),
    };
    let pid = number.parse().map_err(|why: NoPid| match group {
        true => format!("{word} is no process group: they are -1234, 2/-1234 and -8389842"),
        false => why.to_string(),
    });
    let kind = if group { Kind::Group } else { Kind::Process };
    let whom = Whom { pid: pid?, kind };
    if group && whom.pid.pid() == 1 {
        return Err(format!(
            "{word} would be everybody, which ssi kill does not do"
        ));
    }
    Ok(whom)
}

/// Sessions of a list, by the number of the process that began each.
fn sessions(list: &str) -> Result<Vec<Whom>, String> {
    let whom = |word: &str| match word.parse() {
        Ok(pid) => Ok(Whom {
            pid,
            kind: Kind::Session,
        }),
        Err(_) => Err(format!(
            "{word} is no session: they are 1234, 2/1234 and 8389842; see: ssi ps -o npid,sid"
        )),
    };
    let all: Vec<_> = choice::list(list).map(whom).collect::<Result<_, _>>()?;
    if all.is_empty() {
        return Err("--session wants sessions, with commas: 1234,2/1234".to_owned());
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn send(line: &str) -> (i32, String) {
        let words: Vec<_> = line.split_whitespace().collect();
        match parse(&words) {
            Ok(Invocation::Send { signal, targets }) => {
                let targets = targets.iter().map(ToString::to_string);
                (signal, targets.collect::<Vec<_>>().join(" "))
            }
            other => panic!("{line}: {other:?}"),
        }
    }

    #[test]
    fn habits() {
        for (line, signal, whom) in [
            ("7", 15, "7"),
            ("-9 7 2/8", 9, "7 2/8"),
            ("-KILL 8388616", 9, "2/8"),
            ("-s HUP -7 2/-8", 1, "-7 2/-8"),
            ("-0 -8388616", 0, "2/-8"),
            ("--signal=RTMIN+1 7", 35, "7"),
            ("-n 3 7", 3, "7"),
            ("-- -7", 15, "-7"),
            ("-9 -- -7", 9, "-7"),
            ("--session 7", 15, "session 7"),
            ("-9 --session 7,2/8 9", 9, "session 7 session 2/8 9"),
            ("-s HUP 9 --session=8388616 -7", 1, "9 session 2/8 -7"),
            ("--session 7 -9 8", 9, "session 7 8"),
        ] {
            assert_eq!(send(line), (signal, whom.to_owned()), "{line}");
        }
        assert_eq!(parse(&["--help"]), Ok(Invocation::Help));
        assert_eq!(
            parse(&["-l", "9"]),
            Ok(Invocation::List(vec!["9".to_owned()]))
        );
    }

    #[test]
    fn nonsense_is_named() {
        for (line, part) in [
            ("", "which process?"),
            ("-9", "which process?"),
            ("-s", "-s wants"),
            ("-frob 7", "no signal frob"),
            ("-1234", "ssi kill -- -1234"),
            ("0", "0 is no number"),
            ("2/0", "2/0 is no number"),
            ("600/7", "600/7 is no number"),
            ("-9 -1", "everybody"),
            ("-9 2/-1", "everybody"),
            ("-9 -x", "-x is no process group"),
            ("-9 2/-0", "2/-0 is no process group"),
            ("--session", "--session wants"),
            ("--session=", "--session wants"),
            ("--session 0", "0 is no session"),
            ("--session 7,-8", "-8 is no session"),
            ("-- --session=7", "--session=7 is no process group"),
        ] {
            let words: Vec<_> = line.split_whitespace().collect();
            let said = parse(&words).expect_err(line);
            assert!(said.contains(part), "{line}: {said}");
        }
    }

    proptest! {
        #[test]
        fn anything_is_taken(words in prop::collection::vec("[-a-zA-Z0-9/=+]{0,12}", 0..5)) {
            let words: Vec<_> = words.iter().map(String::as_str).collect();
            let _ = parse(&words);
        }
    }
}
