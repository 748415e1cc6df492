//! The command line of ps: options with a dash, in clusters; letters without one, as BSD has
//! them; long options.

use ssi_api::process::Pid;

use super::column::Column;
use super::columns;
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
}

impl Asked {
    /// Whether arguments have to be fetched.
    pub(super) fn wants_args(&self) -> bool {
        let shown = self.columns.iter().map(|(column, _)| *column);
        let sorted = self.sort.iter().map(|(column, _)| *column);
        shown.chain(sorted).any(|column| column.names[0] == "args")
    }

    /// Whether it was said who is wanted.
    pub(super) fn chosen(&self) -> bool {
        !(self.pids.is_empty()
            && self.parents.is_empty()
            && self.users.is_empty()
            && self.names.is_empty())
    }
}

/// What columns there are unless `-o` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Short,
    Bsd,
    Full,
    Users,
}

impl Form {
    const fn columns(self) -> &'static str {
        match self {
            Self::Short => "npid,tty,time,comm=CMD",
            Self::Bsd => "npid,tty,stat,time,args",
            Self::Full => "euser=UID,npid,nppid,c,start=STIME,tty,time,args=CMD",
            Self::Users => "euser=USER,npid,%cpu,%mem,vsz,rss,tty,stat,start=START,time,args",
        }
    }
}

pub(super) fn parse(words: &[&str]) -> Result<Invocation, String> {
    let mut asked = Asked {
        headers: true,
        ..Asked::default()
    };
    let mut form = Form::Short;
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
                    'f' => form = Form::Full,
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
                    'u' => form = Form::Users,
                    // Lines are cut at the edge of a terminal only.
                    'w' => {}
                    _ => {
                        return Err(format!(
                            "{word}: there is no option {letter} without a dash; see: ssi ps --help"
                        ));
                    }
                }
            }
            asked.short_times = true;
            if form == Form::Short {
                form = Form::Bsd;
            }
        }
    }
    if asked.columns.is_empty() {
        asked.columns = headed(form.columns())?;
    }
    Ok(Invocation::Show(Box::new(asked)))
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
    fn nonsense_is_named() {
        for (line, part) in [
            ("-z", "-z"),
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
