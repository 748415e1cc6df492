//! The command line of ps: options with a dash, in clusters; letters without one, as BSD has
//! them; long options.

use ssi_api::process::Pid;

use super::column::Column;
use super::columns;
use super::forest::Art;
use super::form::{Bsd, Form};
use crate::node::Node;
use crate::output::Format;
use crate::process::choice;

/// What a command line says.
#[derive(Debug)]
pub(super) enum Invocation {
    Help,
    Show(Box<Asked>),
}

/// A column, and what is above it.
pub(super) type Headed = (&'static Column, String);

/// What is to be shown.
#[derive(Debug, Default)]
pub(super) struct Asked {
    /// Whoever it is of.
    pub(super) everybody: bool,
    /// Also who has no terminal.
    pub(super) terminal_or_not: bool,
    /// Said which, so that none of the above counts.
    pub(super) pids: Vec<Pid>,
    pub(super) parents: Vec<Pid>,
    pub(super) users: Vec<String>,
    pub(super) names: Vec<String>,
    /// On which nodes; none said: on all.
    pub(super) nodes: Vec<Node>,
    pub(super) columns: Vec<Headed>,
    pub(super) sort: Vec<(&'static Column, bool)>,
    pub(super) headers: bool,
    /// How to print it, if `-o` said that.
    pub(super) output: Option<Format>,
    /// Times are short, as with BSD's letters.
    pub(super) short_times: bool,
    /// As trees.
    pub(super) forest: Option<Art>,
    /// How often it was said that lines may be wide.
    wide: usize,
}

/// Columns of a wide line, as ps has it.
const WIDE: usize = 132;

impl Asked {
    /// Whether arguments have to be fetched.
    pub(super) fn wants_args(&self) -> bool {
        let shown = self.columns.iter().map(|(column, _)| *column);
        let sorted = self.sort.iter().map(|(column, _)| *column);
        shown.chain(sorted).any(|column| column.names[0] == "args")
    }

    /// Where lines are cut, of which a terminal would hold so many columns.
    pub(super) fn width(&self, terminal: Option<usize>) -> Option<usize> {
        match self.wide {
            0 => terminal,
            1 => terminal.map(|columns| columns.max(WIDE)),
            _ => None,
        }
    }

    /// Whether it was said who is wanted.
    pub(super) fn chosen(&self) -> bool {
        !(self.pids.is_empty()
            && self.parents.is_empty()
            && self.users.is_empty()
            && self.names.is_empty())
    }
}

pub(super) fn parse(words: &[&str]) -> Result<Invocation, String> {
    let mut asked = Asked {
        headers: true,
        ..Asked::default()
    };
    let mut form = Form::default();
    let mut words = words.iter().copied();
    while let Some(word) = words.next() {
        if word == "--help" {
            return Ok(Invocation::Help);
        } else if let Some(long) = word.strip_prefix("--") {
            let (name, value) = match long.split_once('=') {
                Some((name, value)) => (name, Some(value)),
                None => (long, None),
            };
            if matches!(name, "no-headers" | "no-header" | "no-headings") {
                asked.headers = false;
                continue;
            }
            if name == "forest" {
                asked.forest = Some(Art::Drawn);
                continue;
            }
            let letter = match name {
                "sort" => 'k',
                "format" => 'o',
                "output" => 'o',
                "pid" => 'p',
                "ppid" => 'P',
                "user" => 'u',
                "node" => 'n',
                _ => return Err(format!("there is no option --{name}; see: ssi ps --help")),
            };
            let value = value.or_else(|| words.next());
            let value = value.ok_or_else(|| format!("--{name} wants a value"))?;
            with_value(&mut asked, letter, value)?;
        } else if let Some(cluster) = word.strip_prefix('-').filter(|rest| !rest.is_empty()) {
            for (at, letter) in cluster.char_indices() {
                match letter {
                    'e' | 'A' => (asked.everybody, asked.terminal_or_not) = (true, true),
                    'a' => asked.everybody = true,
                    'f' => form.full = true,
                    'F' => form.extra = true,
                    'l' => form.long = true,
                    'j' => form.jobs = true,
                    'w' => asked.wide += 1,
                    'H' => asked.forest = Some(Art::Indented),
                    'L' | 'T' | 'm' => return Err(threads(&format!("-{letter}"))),
                    'o' | 'p' | 'u' | 'C' => {
                        let rest = &cluster[at + letter.len_utf8()..];
                        let value = Some(rest).filter(|rest| !rest.is_empty());
                        let value = value.or_else(|| words.next());
                        let value = value.ok_or_else(|| format!("-{letter} wants a value"))?;
                        with_value(&mut asked, letter, value)?;
                        break;
                    }
                    _ => return Err(format!("there is no option -{letter}; see: ssi ps --help")),
                }
            }
        } else if word.starts_with(|c: char| c.is_ascii_digit()) {
            with_value(&mut asked, 'p', word)?;
        } else {
            for letter in word.chars() {
                match letter {
                    'a' => asked.everybody = true,
                    'x' => asked.terminal_or_not = true,
                    'u' => form.bsd = Some(Bsd::Users),
                    'j' => form.bsd = Some(Bsd::Jobs),
                    'l' => form.bsd = Some(Bsd::Long),
                    'f' => asked.forest = Some(Art::Drawn),
                    'w' => asked.wide += 1,
                    'H' | 'm' => return Err(threads(word)),
                    _ => {
                        return Err(format!(
                            "{word}: there is no option {letter} without a dash; see: ssi ps --help"
                        ));
                    }
                }
            }
            asked.short_times = true;
            form.bsd.get_or_insert_default();
        }
    }
    if asked.columns.is_empty() {
        asked.columns = headed(&form.columns())?;
    }
    Ok(Invocation::Show(Box::new(asked)))
}

/// Why an option that shows threads is none.
fn threads(option: &str) -> String {
    format!(
        "{option}: nodes tell each other of processes, not of their threads (-o nlwp says how many); those of one: ssi run --near 2/1234 ps -L -p 1234"
    )
}

fn with_value(asked: &mut Asked, letter: char, value: &str) -> Result<(), String> {
    let list = || choice::list(value);
    match letter {
        'o' => match value.parse() {
            Ok(format) => asked.output = Some(format),
            Err(_) => asked.columns.extend(headed(value)?),
        },
        'k' => {
            for key in list() {
                let down = key.starts_with('-');
                let name = key.trim_start_matches(['-', '+']);
                asked.sort.push((columns::find(name)?, down));
            }
        }
        'p' | 'P' => {
            let to = if letter == 'p' {
                &mut asked.pids
            } else {
                &mut asked.parents
            };
            to.extend(choice::pids(value)?);
        }
        // Any text is a node's name, perhaps.
        'n' => asked.nodes.extend(list().flat_map(str::parse)),
        'u' => asked.users.extend(list().map(str::to_owned)),
        _ => asked.names.extend(list().map(str::to_owned)),
    }
    Ok(())
}

/// Columns by name; what follows an equals sign is the header, commas and all.
fn headed(text: &str) -> Result<Vec<Headed>, String> {
    let mut columns = Vec::new();
    let mut rest = text.trim_start_matches([',', ' ']);
    while !rest.is_empty() {
        let end = rest.find([',', ' ', '=']).unwrap_or(rest.len());
        let column = columns::find(&rest[..end])?;
        let (header, after) = match rest.as_bytes().get(end) {
            Some(b'=') => {
                let after = &rest[end + 1..];
                // Ours never have commas; a user's header goes to the end, as in ps.
                let stop = after.find(',').unwrap_or(after.len());
                (after[..stop].to_owned(), &after[stop..])
            }
            _ => (column.header.to_owned(), &rest[end..]),
        };
        columns.push((column, header));
        rest = after.trim_start_matches([',', ' ']);
    }
    if columns.is_empty() {
        return Err("-o wants columns; see: ssi ps --help".to_owned());
    }
    Ok(columns)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn asked(line: &str) -> Asked {
        let words: Vec<_> = line.split_whitespace().collect();
        match parse(&words) {
            Ok(Invocation::Show(asked)) => *asked,
            other => panic!("{line}: {other:?}"),
        }
    }

    fn names(asked: &Asked) -> Vec<&str> {
        asked
            .columns
            .iter()
            .map(|(column, _)| column.names[0])
            .collect()
    }

    #[test]
    fn habits() {
        let all = asked("-ef");
        assert!(all.everybody && all.terminal_or_not && all.wants_args());
        assert_eq!(names(&all)[..3], ["euser", "npid", "nppid"]);
        let bsd = asked("aux");
        assert!(bsd.everybody && bsd.terminal_or_not && bsd.short_times);
        assert_eq!(names(&bsd)[2..4], ["%cpu", "%mem"]);
        let plain = asked("");
        assert!(!plain.everybody && !plain.terminal_or_not && !plain.wants_args());
        let chosen = asked("-o pid,rss=KB -o comm= --sort -rss,+pid 1 -p 2,3 --no-headers");
        assert_eq!(chosen.pids, [1, 2, 3].map(Pid::Here));
        let there = asked("-p 2/17 8388625 --node 2,blue3 --node=4");
        let same = Pid::At("2/17".parse().expect("a process"));
        assert_eq!((there.pids, there.nodes.len()), (vec![same; 2], 3));
        let headers: Vec<_> = chosen
            .columns
            .iter()
            .map(|(_, header)| header.as_str())
            .collect();
        assert_eq!(headers, ["PID", "KB", ""]);
        let sort: Vec<_> = chosen
            .sort
            .iter()
            .map(|(c, down)| (c.names[0], *down))
            .collect();
        assert_eq!(sort, [("rss", true), ("pid", false)]);
        assert!(!chosen.headers && chosen.chosen());
        assert_eq!(asked("-e -o json").output, Some(Format::Json));
        assert_eq!(asked("-eopid,args").columns.len(), 2);
        assert_eq!(asked("--ppid=1 --user root,0 -C sh").users, ["root", "0"]);
    }

    #[test]
    fn forms_and_trees() {
        for (line, first, last) in [
            ("-ejH", "npid npgid nsid", "comm"),
            ("-elf", "s euser npid", "args"),
            ("-eF", "euser npid nppid", "args"),
            ("-el", "s euid npid", "comm"),
            ("auxf", "euser npid %cpu", "args"),
            ("axjf", "nppid npid npgid", "args"),
            ("axl", "euid npid nppid", "args"),
            ("ax --forest", "npid tty stat", "args"),
        ] {
            let asked = asked(line);
            let names = names(&asked);
            assert_eq!(names[..3].join(" "), first, "{line}");
            assert_eq!(names.last(), Some(&last), "{line}");
        }
        assert_eq!(asked("-efH").forest, Some(Art::Indented));
        assert_eq!(asked("-ef --forest").forest, Some(Art::Drawn));
        assert_eq!(asked("axf").forest, Some(Art::Drawn));
        assert_eq!(asked("-ef").forest, None);
    }

    #[test]
    fn wide_and_wider() {
        for (line, terminal, cut) in [
            ("aux", Some(80), Some(80)),
            ("auxw", Some(80), Some(132)),
            ("-efw", Some(200), Some(200)),
            ("auxww", Some(80), None),
            ("-efww", Some(80), None),
            ("-ef -w -w", Some(80), None),
            ("aux", None, None),
        ] {
            assert_eq!(asked(line).width(terminal), cut, "{line}");
        }
    }

    #[test]
    fn nonsense_is_named() {
        for (line, part) in [
            ("-z", "-z"),
            ("-eLf", "ps -L -p"),
            ("axH", "ps -L -p"),
            ("-o pid,cgroup", "/cluster/proc/CPID/cgroup"),
            ("--frob", "--frob"),
            ("frob", "frob"),
            ("-o", "-o wants"),
            ("-o ,", "-o wants"),
            ("-o frob", "frob"),
            ("-p x", "x is no number"),
            ("-p 0/7", "0/7 is no number"),
            ("--node", "--node wants"),
            ("--sort", "--sort wants"),
            ("--sort frob", "frob"),
        ] {
            let words: Vec<_> = line.split_whitespace().collect();
            let said = parse(&words).expect_err(line);
            assert!(said.contains(part), "{line}: {said}");
        }
    }

    proptest! {
        #[test]
        fn anything_is_taken(words in prop::collection::vec("[-a-z0-9=,%+ ]{0,12}", 0..5)) {
            let words: Vec<_> = words.iter().map(String::as_str).collect();
            let _ = parse(&words);
        }
    }
}
