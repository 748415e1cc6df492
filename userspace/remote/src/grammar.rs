//! Their command lines: options come first, everything after is the command's.

use std::ffi::{OsStr, OsString};
use std::os::fd::RawFd;
use std::path::PathBuf;

use ssi_api::process::Pid;
use ssi_rexec::core::Whom;
use ssi_rexec::runner::Terminals;

/// What a command line says.
#[derive(Debug)]
pub(crate) enum Invocation {
    Help,
    One(Plan),
    All(All),
    /// Only say where it would run.
    Where(Whom),
}

/// A command for one node.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) whom: Whom,
    pub(crate) args: Vec<OsString>,
    pub(crate) pinned: bool,
    pub(crate) own_context: bool,
    pub(crate) terminals: Terminals,
    pub(crate) detached: bool,
    pub(crate) no_input: bool,
    pub(crate) verbose: bool,
    /// For libraries, and so in no help: `--report FD`.
    pub(crate) report: Option<RawFd>,
    /// Where `ssid` listens, if not where everybody looks: `--socket PATH`, for ourselves.
    pub(crate) socket: Option<PathBuf>,
}

/// A command for several.
#[derive(Debug, Default)]
pub(crate) struct All {
    /// Of this class, or all.
    pub(crate) class: Option<String>,
    /// So many at a time; none: all.
    pub(crate) parallel: Option<usize>,
    /// What one node says together, instead of line by line.
    pub(crate) grouped: bool,
    /// Options for each node's own command.
    pub(crate) options: Vec<OsString>,
    pub(crate) args: Vec<OsString>,
}

/// Which options a command has besides the common ones.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Run,
    OnNode,
    OnAll,
    OnClass,
    Fast,
    FastNode,
}

#[derive(Default)]
struct Options {
    whom: Option<Whom>,
    class: Option<String>,
    parallel: Option<usize>,
    grouped: bool,
    pinned: bool,
    own_context: bool,
    tty: bool,
    no_tty: bool,
    detached: bool,
    no_input: bool,
    verbose: bool,
    report: Option<RawFd>,
    socket: Option<PathBuf>,
    help: bool,
}

/// Reads the words after the name of a command.
pub(crate) fn parse(name: &str, words: &[OsString]) -> Result<Invocation, String> {
    let kind = match name {
        "onnode" => Kind::OnNode,
        "onall" => Kind::OnAll,
        "onclass" => Kind::OnClass,
        "fast" => Kind::Fast,
        "fastnode" => Kind::FastNode,
        _ => Kind::Run,
    };
    let mut options = Options::default();
    let mut rest = options.take(kind, words)?;
    if options.help {
        return Ok(Invocation::Help);
    }
    let whom = match kind {
        Kind::OnNode => Whom::Node(word(
            &mut rest,
            "which node? its number or name comes first",
        )?),
        Kind::OnClass => Whom::Class(word(&mut rest, "which class? its name comes first")?),
        _ => options.whom.take().unwrap_or(Whom::Least),
    };
    if matches!(kind, Kind::OnNode | Kind::OnClass) && rest.first().is_some_and(|w| *w == "--") {
        rest = &rest[1..];
    }
    if kind == Kind::FastNode {
        return match rest {
            [] => Ok(Invocation::Where(
                options.class.map_or(Whom::Least, Whom::Class),
            )),
            [more, ..] => Err(format!(
                "{} is too much: it only says the number",
                more.display()
            )),
        };
    }
    if rest.is_empty() {
        return Err(format!("which command? see: {name} --help"));
    }
    let args = rest.to_vec();
    if kind == Kind::OnAll {
        return Ok(Invocation::All(options.all(args)));
    }
    options.one(whom, args).map(Invocation::One)
}

fn word(rest: &mut &[OsString], missing: &str) -> Result<String, String> {
    let (first, others) = rest.split_first().ok_or(missing)?;
    *rest = others;
    let text = first.to_str().filter(|text| !text.is_empty());
    text.map(str::to_owned).ok_or_else(|| missing.to_owned())
}

impl Options {
    /// Takes the options at the beginning; what comes after.
    fn take<'a>(&mut self, kind: Kind, words: &'a [OsString]) -> Result<&'a [OsString], String> {
        let mut rest = words;
        while let Some((first, others)) = rest.split_first() {
            let Some(option) = first.to_str().filter(|w| w.len() > 1 && w.starts_with('-')) else {
                break;
            };
            rest = others;
            if option == "--" {
                break;
            }
            match option.strip_prefix("--") {
                Some(long) => self.long(kind, long, &mut rest)?,
                None => self.short(kind, &option[1..], &mut rest)?,
            }
        }
        Ok(rest)
    }

    fn long(&mut self, kind: Kind, option: &str, rest: &mut &[OsString]) -> Result<(), String> {
        let (name, value) = match option.split_once('=') {
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (option, None),
        };
        let takes = matches!(
            name,
            "node" | "near" | "class" | "parallel" | "report" | "socket"
        );
        if !takes && value.is_some() {
            return Err(format!("--{name} takes no value"));
        }
        let mut value = || match &value {
            Some(value) => Ok(value.clone()),
            None => word(rest, &format!("--{name} wants a value")),
        };
        match (name, kind) {
            ("node", Kind::Run) => self.aim(Whom::Node(value()?)),
            ("near", Kind::Run) => self.aim(near(&value()?)?),
            ("class", Kind::Run) => self.aim(Whom::Class(value()?)),
            ("report", Kind::Run) => {
                // The standard ones are the command's.
                let fd = value()?.parse().ok().filter(|fd| *fd > 2);
                self.report = Some(fd.ok_or("--report wants a descriptor from 3 on")?);
                Ok(())
            }
            ("socket", Kind::OnNode) => {
                self.socket = Some(value()?.into());
                Ok(())
            }
            ("class", Kind::OnAll | Kind::FastNode) => {
                self.class = Some(value()?);
                Ok(())
            }
            ("parallel", Kind::OnAll) => self.parallel(&value()?),
            ("group", Kind::OnAll) => {
                self.grouped = true;
                Ok(())
            }
            ("help", _) => {
                self.help = true;
                Ok(())
            }
            _ => self
                .flag(kind, name)
                .ok_or_else(|| unknown(&format!("--{name}"))),
        }
    }

    /// Several may stand together: `-lp`.
    fn short(&mut self, kind: Kind, letters: &str, rest: &mut &[OsString]) -> Result<(), String> {
        for (at, letter) in letters.char_indices() {
            let takes = letter == 'P' && kind == Kind::OnAll || letter == 'n' && kind == Kind::Run;
            if takes {
                let after = &letters[at + letter.len_utf8()..];
                let value = if after.is_empty() {
                    word(rest, &format!("-{letter} wants a value"))?
                } else {
                    after.to_owned()
                };
                return match letter {
                    'P' => self.parallel(&value),
                    _ => self.aim(Whom::Node(value)),
                };
            }
            let name = match letter {
                'p' => "pin",
                'l' => "local",
                't' => "tty",
                'T' => "no-tty",
                'v' => "verbose",
                'g' if kind == Kind::OnAll => {
                    self.grouped = true;
                    continue;
                }
                'h' => {
                    self.help = true;
                    continue;
                }
                _ => "",
            };
            self.flag(kind, name)
                .ok_or_else(|| unknown(&format!("-{letter}")))?;
        }
        Ok(())
    }

    fn flag(&mut self, kind: Kind, name: &str) -> Option<()> {
        let all = kind == Kind::OnAll;
        if kind == Kind::FastNode {
            return None;
        }
        let flag = match name {
            "pin" => &mut self.pinned,
            "local" => &mut self.own_context,
            "tty" if !all => &mut self.tty,
            "no-tty" if !all => &mut self.no_tty,
            "detach" => &mut self.detached,
            "no-input" if !all => &mut self.no_input,
            "verbose" => &mut self.verbose,
            _ => return None,
        };
        *flag = true;
        Some(())
    }

    fn aim(&mut self, whom: Whom) -> Result<(), String> {
        match self.whom.replace(whom) {
            None => Ok(()),
            Some(_) => Err("only one of --node, --near and --class".to_owned()),
        }
    }

    fn parallel(&mut self, text: &str) -> Result<(), String> {
        let number = text.parse().ok().filter(|number| *number > 0);
        self.parallel = Some(number.ok_or_else(|| format!("-P {text}: 1 or more at a time"))?);
        Ok(())
    }

    fn one(self, whom: Whom, args: Vec<OsString>) -> Result<Plan, String> {
        let terminals = match (self.tty, self.no_tty) {
            (false, false) => Terminals::Auto,
            (true, false) => Terminals::Always,
            (false, true) => Terminals::Never,
            (true, true) => return Err("-t or -T, not both".to_owned()),
        };
        Ok(Plan {
            whom,
            args,
            pinned: self.pinned,
            own_context: self.own_context,
            terminals,
            detached: self.detached,
            no_input: self.no_input,
            verbose: self.verbose,
            report: self.report,
            socket: self.socket,
        })
    }

    fn all(self, args: Vec<OsString>) -> All {
        let flags = [
            (self.pinned, "--pin"),
            (self.own_context, "--local"),
            (self.detached, "--detach"),
            (self.verbose, "--verbose"),
        ];
        let given = flags.into_iter().filter(|(given, _)| *given);
        All {
            class: self.class,
            parallel: self.parallel,
            grouped: self.grouped,
            options: given.map(|(_, flag)| OsStr::new(flag).to_owned()).collect(),
            args,
        }
    }
}

fn near(text: &str) -> Result<Whom, String> {
    match text.parse::<Pid>() {
        Ok(Pid::At(cpid)) => Ok(Whom::Near(cpid.number())),
        Ok(Pid::Here(_)) => Err(format!(
            "--near {text}: on which node? a process of the cluster is 2/{text}, for example"
        )),
        Err(error) => Err(error.to_string()),
    }
}

fn unknown(option: &str) -> String {
    format!(
        "there is no option {option}; the command's own options come after its name (see --help)"
    )
}

#[cfg(test)]
mod tests;
