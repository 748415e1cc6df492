//! Who matches.

use regex::{Regex, RegexBuilder};
use ssi_api::process::{ClusterProcesses, NodeProcesses, ProcessView};

use super::grammar::{Asked, Only};
use crate::fail::Fail;
use crate::process::{choice, units, user};

/// A process that matches, and its node; number 0: the machine is in no cluster.
#[derive(Clone, Copy, Debug)]
pub(super) struct Found<'a> {
    pub(super) node: &'a NodeProcesses,
    pub(super) process: &'a ProcessView,
}

impl Found<'_> {
    /// When it was forked: nanoseconds since 1970, so that nodes can be compared.
    fn born(self) -> u64 {
        self.node.said.booted.saturating_add(self.process.start)
    }
}

/// Those that match: all that was asked for has to be so. Process `own` of this node, who
/// looks, is none of them.
pub(super) fn select<'a>(
    all: &'a ClusterProcesses,
    asked: &Asked,
    own: u32,
) -> Result<Vec<Found<'a>>, Fail> {
    let pattern = pattern(asked)?;
    let users = user::uids(&asked.users)?;
    let real_users = user::uids(&asked.real_users)?;
    let matches = |node: &NodeProcesses, process: &ProcessView| {
        let among =
            |wanted: &[_], pid| wanted.is_empty() || choice::is(wanted, all.here, node.number, pid);
        let text = || match asked.full {
            true => args(process),
            false => process.comm.clone(),
        };
        (users.is_empty() || users.contains(&process.euid))
            && (real_users.is_empty() || real_users.contains(&process.uid))
            && among(&asked.groups, process.pgid)
            && among(&asked.sessions, process.sid)
            && among(&asked.parents, process.ppid)
            && (asked.terminals.is_empty() || asked.terminals.contains(&terminal(process)))
            && (asked.states.is_empty() || asked.states.contains(process.state))
            && pattern
                .as_ref()
                .is_none_or(|pattern| pattern.is_match(&text()))
    };
    let mut found = Vec::new();
    for node in &all.nodes {
        let others = node.said.processes.iter();
        let others = others.filter(|p| !(node.number == all.here && p.pid == own));
        let them = others.filter(|process| matches(node, process) != asked.inverse);
        found.extend(them.map(|process| Found { node, process }));
    }
    Ok(match asked.only {
        None => found,
        Some(Only::Newest) => found
            .into_iter()
            .max_by_key(|f| f.born())
            .into_iter()
            .collect(),
        Some(Only::Oldest) => found
            .into_iter()
            .min_by_key(|f| f.born())
            .into_iter()
            .collect(),
    })
}

fn pattern(asked: &Asked) -> Result<Option<Regex>, Fail> {
    let Some(text) = &asked.pattern else {
        return Ok(None);
    };
    let whole = match asked.exact {
        true => format!("^(?:{text})$"),
        false => text.clone(),
    };
    let built = RegexBuilder::new(&whole)
        .case_insensitive(asked.ignore_case)
        .build();
    built.map(Some).map_err(|why| {
        // The last line says it; those before draw an arrow.
        let why = why.to_string();
        let why = why.lines().last().unwrap_or_default().trim().to_owned();
        Fail::Usage(format!("{text} is no regular expression: {why}"))
    })
}

/// The arguments, or the name of who has none.
pub(super) fn args(process: &ProcessView) -> String {
    match process.args.is_empty() {
        true => process.comm.clone(),
        false => process.args.join(" "),
    }
}

/// Its terminal; `-` if it has none.
fn terminal(process: &ProcessView) -> String {
    match process.tty {
        0 => "-".to_owned(),
        tty => units::tty(tty),
    }
}

#[cfg(test)]
mod tests {
    use super::super::grammar::{Invocation, Program, parse};
    use super::*;
    use crate::process::testing::node;

    fn found(line: &str) -> String {
        let process = |pid, ppid, euid, start, comm: &str, args: &str| ProcessView {
            pid,
            ppid,
            euid,
            pgid: pid,
            sid: ppid,
            start,
            state: 'S',
            comm: comm.to_owned(),
            args: args.split_whitespace().map(str::to_owned).collect(),
            ..ProcessView::default()
        };
        let all = ClusterProcesses {
            here: 2,
            nodes: vec![
                node(
                    1,
                    1000,
                    vec![
                        process(1, 0, 0, 0, "init", "/sbin/init"),
                        process(4, 1, 7, 90, "sleep", "sleep 77"),
                    ],
                ),
                node(
                    2,
                    2000,
                    vec![
                        process(1, 0, 0, 0, "init", "/sbin/init"),
                        process(3, 1, 8, 5, "Sleeper", "python sleep"),
                        process(5, 3, 7, 6, "pgrep", "ssi pgrep sleep"),
                        process(6, 1, 7, 7, "kworker", ""),
                    ],
                ),
            ],
            ..ClusterProcesses::default()
        };
        let words: Vec<_> = line.split_whitespace().collect();
        let Ok(Invocation::Do(asked)) = parse(&words, Program::Grep) else {
            panic!("{line}");
        };
        let found = select(&all, &asked, 5).expect("it makes sense");
        let found = found
            .iter()
            .map(|f| format!("{}/{}", f.node.number, f.process.pid));
        found.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn as_pgrep_chooses() {
        for (line, wanted) in [
            ("sleep", "1/4"),
            ("-i sleep", "1/4 2/3"),
            ("-f sleep", "1/4 2/3"),
            ("-x slee", ""),
            ("-x s.*p|init", "1/1 1/4 2/1"),
            ("-u 7", "1/4 2/6"),
            ("-u 7,8 -P 1", "2/3 2/6"),
            ("-P 1/1,2/1 -u 7", "1/4 2/6"),
            ("-g 4", ""),
            ("-g 1/4", "1/4"),
            ("-f kwork", "2/6"),
            ("-n init", "2/1"),
            ("-o init", "1/1"),
            ("-v init", "1/4 2/3 2/6"),
            ("-t -", "1/1 1/4 2/1 2/3 2/6"),
            ("-r R", ""),
        ] {
            assert_eq!(found(line), wanted, "{line}");
        }
    }
}
