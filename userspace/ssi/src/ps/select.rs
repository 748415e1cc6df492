//! Who is to be shown.

use nix::unistd::geteuid;
use ssi_api::process::{ClusterProcesses, NodeProcesses, Pid, ProcessView};

use super::column::Line;
use super::grammar::Asked;
use crate::fail::Fail;
use crate::process::{choice, user};

/// Those that were asked for.
pub(super) fn select<'a>(all: &'a ClusterProcesses, asked: &Asked) -> Result<Vec<Line<'a>>, Fail> {
    let users = user::uids(&asked.users)?;
    let own = std::process::id();
    // Number 0 is here, too: a machine in no cluster.
    let here = |node: &NodeProcesses| node.number == all.here;
    let local = all.nodes.iter().find(|node| here(node));
    let tty = local
        .and_then(|node| node.said.processes.iter().find(|p| p.pid == own))
        .map_or(0, |p| p.tty);
    let me = geteuid().as_raw();
    let is = |wanted: &[Pid], node: &NodeProcesses, pid: u32| {
        choice::is(wanted, all.here, node.number, pid)
    };
    let wanted = |node: &NodeProcesses, process: &ProcessView| {
        if asked.chosen() {
            return is(&asked.pids, node, process.pid)
                || is(&asked.parents, node, process.ppid)
                || users.contains(&process.euid)
                || asked.names.contains(&process.comm);
        }
        let mine = asked.everybody || process.euid == me;
        let terminal = if asked.everybody {
            process.tty != 0
        } else {
            // Terminals of the same number on other nodes are others.
            process.tty == tty && here(node)
        };
        mine && (terminal || asked.terminal_or_not)
    };
    let mut lines = Vec::new();
    for node in &all.nodes {
        let processes = node.said.processes.iter();
        let processes = processes.filter(|process| wanted(node, process));
        lines.extend(processes.map(|process| Line {
            node,
            process,
            short_times: asked.short_times,
            before: "",
        }));
    }
    Ok(lines)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process::testing::node;
    use crate::ps::grammar::{Invocation, parse};

    /// Who is shown of a machine in no cluster, or of two nodes of which this is the second.
    fn selected(line: &str, clustered: bool) -> Vec<String> {
        let own = std::process::id();
        let me = geteuid().as_raw();
        let process = |pid, ppid, euid, tty, comm: &str| ProcessView {
            pid,
            ppid,
            euid,
            tty,
            comm: comm.to_owned(),
            ..ProcessView::default()
        };
        let there = vec![process(1, 0, me + 1, 0, "init"), process(4, 1, me, 5, "vi")];
        let here = vec![
            process(1, 0, me + 1, 0, "init"),
            process(2, 1, me, 0, "daemon"),
            process(3, 1, me + 1, 7, "sh"),
            process(own, 3, me, 5, "ssi"),
            process(4, 3, me, 7, "sh"),
        ];
        let (here_is, nodes) = if clustered {
            (2, vec![node(1, 0, there), node(2, 0, here)])
        } else {
            (0, vec![node(0, 0, here)])
        };
        let all = ClusterProcesses {
            here: here_is,
            nodes,
            ..ClusterProcesses::default()
        };
        let words: Vec<_> = line.split_whitespace().collect();
        let Ok(Invocation::Show(asked)) = parse(&words) else {
            panic!("{line}");
        };
        let lines = select(&all, &asked).expect("they are there");
        let pids = lines.iter().map(|line| match line.process.pid {
            pid if pid == own => "me".to_owned(),
            pid if line.node.number == 1 => format!("1/{pid}"),
            pid => pid.to_string(),
        });
        pids.collect()
    }

    #[test]
    fn as_ps_chooses() {
        for (line, wanted) in [
            ("", "me"),
            ("-e", "1 2 3 me 4"),
            ("ax", "1 2 3 me 4"),
            ("a", "3 me 4"),
            ("x", "2 me 4"),
            ("-p 1,4", "1 4"),
            ("-p 2/1", ""),
            ("--ppid 3", "me 4"),
            ("-C sh 2", "2 3 4"),
        ] {
            assert_eq!(selected(line, false).join(" "), wanted, "{line}");
        }
    }

    #[test]
    fn and_in_a_cluster() {
        for (line, wanted) in [
            ("", "me"),
            ("-e", "1/1 1/4 1 2 3 me 4"),
            ("x", "1/4 2 me 4"),
            ("-p 1,4", "1 4"),
            ("-p 1/4,8388612", "1/4 4"),
            ("--ppid 1/1,3", "1/4 me 4"),
            ("-C vi", "1/4"),
        ] {
            assert_eq!(selected(line, true).join(" "), wanted, "{line}");
        }
    }
}
