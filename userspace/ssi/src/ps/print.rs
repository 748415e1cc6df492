//! Lines in columns.

use std::fmt::Write as _;

use super::column::Line;
use super::grammar::Asked;
use crate::output;

/// The table.
pub(super) fn text(lines: &[Line<'_>], asked: &Asked, width: Option<usize>) -> String {
    let mut rows: Vec<Vec<String>> = Vec::with_capacity(lines.len() + 1);
    let headers = asked.columns.iter().map(|(_, header)| header.clone());
    let headers: Vec<_> = headers.collect();
    // As ps: no line of headers if all are empty.
    if asked.headers && headers.iter().any(|header| !header.is_empty()) {
        rows.push(headers);
    }
    for line in lines {
        let cells = asked.columns.iter().map(|(column, _)| column.show(*line));
        rows.push(cells.map(plain).collect());
    }
    let widths: Vec<_> = (0..asked.columns.len())
        .map(|at| rows.iter().map(|row| row[at].chars().count()).max())
        .map(Option::unwrap_or_default)
        .collect();
    let mut text = String::new();
    let mut line = String::new();
    for row in rows {
        line.clear();
        for ((cell, width), (column, _)) in row.iter().zip(&widths).zip(&asked.columns) {
            if !line.is_empty() {
                line.push(' ');
            }
            // A string takes whatever is written to it.
            let _ = if column.right {
                write!(line, "{cell:>width$}")
            } else {
                write!(line, "{cell:<width$}")
            };
        }
        let line = line.trim_end().chars();
        text.extend(line.take(width.unwrap_or(usize::MAX)));
        text.push('\n');
    }
    text
}

/// Without control characters, which hardly any has.
fn plain(cell: String) -> String {
    if cell.contains(char::is_control) {
        output::plain(&cell)
    } else {
        cell
    }
}

#[cfg(test)]
mod tests {
    use ssi_api::process::{NodeProcesses, ProcessView, ProcessesView};

    use super::*;
    use crate::ps::grammar::{Invocation, parse};

    #[test]
    fn a_table() {
        let process = |pid, comm: &str, rss| ProcessView {
            pid,
            comm: comm.to_owned(),
            rss,
            state: 'S',
            start: 0,
            run: 5_000_000_000,
            ..ProcessView::default()
        };
        let mut node = NodeProcesses {
            number: 0,
            name: String::new(),
            said: ProcessesView {
                source: String::new(),
                at: 10_000_000_000,
                booted: 0,
                memory: 1 << 20,
                load: None,
                processes: vec![process(7, "a\nb", 4096), process(4711, "long", 1 << 19)],
            },
        };
        let show = |node: &NodeProcesses, line: &str, width| {
            let words: Vec<_> = line.split_whitespace().collect();
            match parse(&words) {
                Ok(Invocation::Show(asked)) => {
                    let lines = node.said.processes.iter().map(|process| Line {
                        node,
                        process,
                        short_times: asked.short_times,
                        before: "",
                    });
                    text(&lines.collect::<Vec<_>>(), &asked, width)
                }
                other => panic!("{line}: {other:?}"),
            }
        };
        assert_eq!(
            show(&node, "-o pid,rss,%cpu,%mem,comm", None),
            " PID RSS %CPU %MEM COMMAND\n   7   4 50.0  0.4 a b\n4711 512 50.0 50.0 long\n"
        );
        assert_eq!(show(&node, "-o pid=,comm=", Some(6)), "   7 a\n4711 l\n");
        node.said.processes.truncate(1);
        assert_eq!(
            show(&node, "ax", None),
            "PID TTY STAT TIME COMMAND\n  7 ?   S    0:05 [a b]\n"
        );
        assert_eq!(
            show(&node, "-o cpid,node,nodename,npid", None),
            "CPID NODE NODENAME PID\n   -    - -          7\n"
        );
        (node.number, node.name) = (2, "blue2".to_owned());
        assert_eq!(
            show(&node, "-o cpid,node,nodename,npid,nppid,pid", None),
            "   CPID NODE NODENAME PID PPID PID\n8388615    2 blue2    2/7    0   7\n"
        );
        assert_eq!(
            show(&node, "ax", None),
            "PID TTY STAT TIME COMMAND\n2/7 ?   S    0:05 [a b]\n"
        );
    }
}
