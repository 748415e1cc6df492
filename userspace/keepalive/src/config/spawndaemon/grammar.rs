//! From options to an order: which go together, as the synopsis has it.

use std::str::FromStr;

use super::super::Selection;
use super::lexer::Words;
use super::{Form, Order, Part, Registration, Scope, Usage, Which};
use crate::node::Node;

/// The options of which a command line has exactly one.
const VERBS: &str = "rRxdpgsqQLXz";

/// Reads a command line, without the program's name.
///
/// # Errors
/// What is wrong with it, in one line.
pub fn parse<S: AsRef<str>>(args: &[S]) -> Result<Order, Usage> {
    let Words { options, words } = Words::of(args)?;
    let mut verbs = options.iter().filter(|(o, _)| VERBS.contains(*o));
    let Some((verb, value)) = verbs.next().cloned() else {
        return fail("what is to be done? One of -r -R -x -d -p -g -s -q -Q -L -X -z says it");
    };
    if let Some((other, _)) = verbs.next() {
        return fail(&format!("-{verb} and -{other} are two orders; give one"));
    }
    let mut line = Line {
        verb,
        options: options.into_iter().filter(|(o, _)| *o != verb).collect(),
        words,
    };
    let order = match verb {
        'r' => Order::Register {
            file: value.into(),
            options: line.registration()?,
        },
        'R' => Order::Adopt {
            file: value.into(),
            pid: line.word("the pid of the process")?,
            options: line.registration()?,
        },
        'x' => Order::Clear {
            kill: line.flag('k'),
            which: line.cleared()?,
        },
        'd' => {
            let kill = line.flag('k');
            let args = line.flag('a').then(|| std::mem::take(&mut line.words));
            let path = value.into();
            let which = Which::Path { path, args };
            Order::Remove { which, kill }
        }
        'p' => line.removed(Which::Pid(number('p', &value)?)),
        'g' => line.removed(Which::Group(value)),
        's' => line.removed(Which::Slot(number('s', &value)?)),
        'q' => Order::Quiesce,
        'Q' => Order::Quit {
            kill: line.flag('k'),
        },
        'L' => line.list()?,
        'X' => Order::ClearAll,
        _ => Order::Size(number('z', &value)?),
    };
    line.rest(order)
}

fn fail<T>(message: &str) -> Result<T, Usage> {
    Err(Usage(message.to_owned()))
}

fn number<T: FromStr>(option: char, value: &str) -> Result<T, Usage> {
    value
        .parse()
        .map_err(|_| Usage(format!("-{option}: \"{value}\" is not a number that fits")))
}

fn node(option: char, value: &str) -> Result<Node, Usage> {
    let node = value.parse();
    node.map_err(|error| Usage(format!("-{option}: {error}")))
}

/// A command line without its verb; what is understood is taken out.
struct Line {
    verb: char,
    options: Vec<(char, String)>,
    words: Vec<String>,
}

impl Line {
    fn flag(&mut self, option: char) -> bool {
        let before = self.options.len();
        self.options.retain(|(o, _)| *o != option);
        self.options.len() < before
    }

    fn all(&mut self, option: char) -> Vec<String> {
        let options = std::mem::take(&mut self.options);
        let (taken, left) = options.into_iter().partition(|(o, _)| *o == option);
        self.options = left;
        let taken: Vec<(char, String)> = taken;
        taken.into_iter().map(|(_, value)| value).collect()
    }

    fn one(&mut self, option: char) -> Result<Option<String>, Usage> {
        let mut values = self.all(option);
        if values.len() > 1 {
            return fail(&format!("-{option} is given twice"));
        }
        Ok(values.pop())
    }

    fn word<T: FromStr>(&mut self, what: &str) -> Result<T, Usage> {
        if self.words.is_empty() {
            return fail(&format!("-{} wants {what} behind it", self.verb));
        }
        let word = self.words.remove(0);
        let parsed = word.parse();
        parsed.map_err(|_| Usage(format!("\"{word}\" is not {what}")))
    }

    fn removed(&mut self, which: Which) -> Order {
        let kill = self.flag('k');
        Order::Remove { which, kill }
    }

    fn cleared(&mut self) -> Result<Which, Usage> {
        let path = self.one('D')?.map(|path| Which::Path {
            path: path.into(),
            args: None,
        });
        let pid = self.one('P')?.map(|pid| number('P', &pid)).transpose()?;
        let slot = self.one('S')?.map(|slot| number('S', &slot)).transpose()?;
        let given = [path, pid.map(Which::Pid), slot.map(Which::Slot)];
        let mut given = given.into_iter().flatten();
        match (given.next(), given.next()) {
            (Some(which), None) => Ok(which),
            _ => fail("-x wants one of -D path, -P pid, -S slot"),
        }
    }

    fn list(&mut self) -> Result<Order, Usage> {
        let form = match self.one('v')?.as_deref() {
            None if !self.words.is_empty() => return fail("-L wants -v human or -v machine first"),
            None | Some("human") => Form::Human,
            Some("machine") => Form::Machine,
            Some(other) => return fail(&format!("-v is human or machine, not \"{other}\"")),
        };
        let part = match self.words.first().map(String::as_str) {
            None => None,
            Some("processes") => Some(Part::Processes),
            Some("keepalive") => Some(Part::Keepalive),
            Some(other) => {
                let message = format!("processes or keepalive can be listed, not \"{other}\"");
                return Err(Usage(message));
            }
        };
        self.words.drain(..usize::from(part.is_some()));
        Ok(Order::List { form, part })
    }

    fn registration(&mut self) -> Result<Registration, Usage> {
        let mut read = Registration {
            scope: self.one('i')?.map(|text| scope(&text)).transpose()?,
            floating: self.flag('U'),
            o: self.flag('o'),
            match_args: self.flag('a'),
            ..Registration::default()
        };
        if self.verb == 'r' {
            read.times = self.one('n')?.map(|n| number('n', &n)).transpose()?;
            for text in self.all('c') {
                code(&text, &mut read)?;
            }
        }
        read.favoured = self.one('F')?.map(|n| node('F', &n)).transpose()?;
        let backups = self.all('B');
        let backups: Result<_, _> = backups.iter().map(|n| node('B', n)).collect();
        read.backups = backups?;
        read.selection = self.one('Z')?.map(|text| selection(&text)).transpose()?;
        together(&read)?;
        Ok(read)
    }

    /// Whatever is left belongs to no such order.
    fn rest(self, order: Order) -> Result<Order, Usage> {
        let verb = self.verb;
        if let Some((option, _)) = self.options.first() {
            return fail(&format!("-{option} has no meaning with -{verb}"));
        }
        if let Some(word) = self.words.first() {
            // Arguments of -d are compared only if -a says so.
            let hint = if verb == 'd' { "; give -a first" } else { "" };
            return fail(&format!("-{verb}: what is \"{word}\" for?{hint}"));
        }
        Ok(order)
    }
}

/// Which options exclude or want each other.
fn together(read: &Registration) -> Result<(), Usage> {
    if read.times == Some(0) {
        return fail("-n is 1 at least");
    }
    if read.favoured.is_none() {
        if !read.backups.is_empty() {
            return fail("-B is a backup of a favoured node; give -F too");
        }
        if read.selection == Some(Selection::FNode) {
            return fail("-Z F_node wants a favoured node; give -F too");
        }
    }
    if !read.floating {
        return Ok(());
    }
    let excluded = [
        (read.favoured.is_some(), "-F"),
        (read.selection.is_some(), "-Z"),
        (!read.reject.is_empty(), "-c reject="),
        (matches!(read.scope, Some(Scope::Nodes(_))), "-i node_list"),
    ];
    match excluded.into_iter().find(|(given, _)| *given) {
        Some((_, option)) => fail(&format!("-U floats over all nodes: no {option} with it")),
        None => Ok(()),
    }
}

fn scope(text: &str) -> Result<Scope, Usage> {
    if text == "cluster_wide" {
        return Ok(Scope::ClusterWide);
    }
    let nodes: Result<_, _> = text.split(',').map(|n| node('i', n.trim())).collect();
    Ok(Scope::Nodes(nodes?))
}

fn selection(text: &str) -> Result<Selection, Usage> {
    match text {
        "F_node" => Ok(Selection::FNode),
        "last_node" => Ok(Selection::LastNode),
        "round_robin" => Ok(Selection::RoundRobin),
        "least_loaded" => Ok(Selection::LeastLoaded),
        _ => fail(&format!(
            "-Z is F_node, last_node, round_robin or least_loaded, not \"{text}\""
        )),
    }
}

fn code(text: &str, read: &mut Registration) -> Result<(), Usage> {
    let (codes, value) = match text.split_once('=') {
        Some(("down", value)) => (&mut read.down, value),
        Some(("reject", value)) => (&mut read.reject, value),
        _ => return fail(&format!("-c is down=CODE or reject=CODE, not \"{text}\"")),
    };
    let wrong = || Usage(format!("-c: \"{value}\" is no exit code: 0 to 255 are"));
    codes.push(value.parse().map_err(|_| wrong())?);
    Ok(())
}
