//! The numbers of processes in what a node's /proc says, made those of the cluster, and when they
//! began, made a time of the node where that is read.

use ssi_api::process::{Cpid, ProcFile};

/// What a file of process on `node` says, with clusterwide numbers; the node was booted `later`
/// than this one, in clock ticks.
pub(super) fn renumber(file: ProcFile, said: Vec<u8>, node: u16, later: i64) -> Vec<u8> {
    match file {
        ProcFile::Stat => stat(&said, node, later).unwrap_or(said),
        ProcFile::Status => status(&said, node),
        _ => said,
    }
}

/// Where the numbers are in what follows the name: state, then the parent, the group, the
/// session, the terminal, and the group in its foreground (proc(5), fields 4, 5, 6 and 8).
const NUMBERS: [usize; 4] = [1, 2, 3, 5];
/// Where the start is, in clock ticks since boot (field 22).
const START: usize = 19;

fn stat(said: &[u8], node: u16, later: i64) -> Option<Vec<u8>> {
    // A name may hold anything, blanks and parentheses too.
    let open = said.iter().position(|byte| *byte == b'(')?;
    let close = said.iter().rposition(|byte| *byte == b')')?;
    let own = said.get(..open)?.trim_ascii();
    let name = said.get(open..=close)?;
    let rest = said.get(close + 1..)?.trim_ascii_start();
    let mut out = clusterwide(own, node);
    out.push(b' ');
    out.extend_from_slice(name);
    for (at, field) in rest.split(|byte| *byte == b' ').enumerate() {
        out.push(b' ');
        if NUMBERS.contains(&at) {
            out.extend(clusterwide(field, node));
        } else if at == START {
            out.extend(moved(field, later));
        } else {
            out.extend_from_slice(field);
        }
    }
    Some(out)
}

/// A time since the node's boot as one since this node's. Who began before that, seems to have
/// begun with it: programs know no start below 0.
fn moved(field: &[u8], later: i64) -> Vec<u8> {
    let text = str::from_utf8(field).ok();
    match text.and_then(|text| text.parse::<u64>().ok()) {
        Some(start) => start.saturating_add_signed(later).to_string().into_bytes(),
        None => field.to_vec(),
    }
}

/// The lines of status that have one number of a process; `NSpid` and its like tell the
/// numbers in the namespaces of the node.
const LINES: [&[u8]; 4] = [b"Tgid:", b"Pid:", b"PPid:", b"TracerPid:"];

fn status(said: &[u8], node: u16) -> Vec<u8> {
    let mut out = Vec::with_capacity(said.len() + 32);
    for line in said.split_inclusive(|byte| *byte == b'\n') {
        let known = LINES.iter().find(|known| line.starts_with(known));
        if let Some(known) = known {
            out.extend_from_slice(known);
            out.push(b'\t');
            out.extend(clusterwide(line[known.len()..].trim_ascii(), node));
            out.push(b'\n');
        } else {
            out.extend_from_slice(line);
        }
    }
    out
}

/// What is no number of a process on the node (0: none; −1: no terminal) stays as it is.
fn clusterwide(field: &[u8], node: u16) -> Vec<u8> {
    let number = str::from_utf8(field).ok();
    let pid = number.and_then(|number| number.parse::<u32>().ok());
    match pid.and_then(|pid| Cpid::new(node, pid)) {
        Some(cpid) => cpid.number().to_string().into_bytes(),
        None => field.to_vec(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NODE: u32 = 2 << 22;

    #[test]
    fn of_stat() {
        let said = b"7 (a) (b c) S 1 7 7 34816 -1 4194560 99\n".to_vec();
        let (own, parent) = (NODE + 7, NODE + 1);
        let wanted = format!("{own} (a) (b c) S {parent} {own} {own} 34816 -1 4194560 99\n");
        let said = renumber(ProcFile::Stat, said, 2, 0);
        assert_eq!(String::from_utf8_lossy(&said), wanted);
        let kernel = b"2 (kthreadd) S 0 0 0 0 -1 2129984\n".to_vec();
        let said = renumber(ProcFile::Stat, kernel, 2, 0);
        let wanted = format!("{} (kthreadd) S 0 0 0 0 -1 2129984\n", NODE + 2);
        assert_eq!(String::from_utf8_lossy(&said), wanted);
    }

    #[test]
    fn of_status() {
        let said =
            b"Name:\tPid: x\nTgid:\t7\nNgid:\t0\nPid:\t7\nPPid:\t1\nTracerPid:\t0\nNSpid:\t7\n";
        let said = renumber(ProcFile::Status, said.to_vec(), 2, 0);
        let (own, parent) = (NODE + 7, NODE + 1);
        let wanted = format!(
            "Name:\tPid: x\nTgid:\t{own}\nNgid:\t0\nPid:\t{own}\nPPid:\t{parent}\nTracerPid:\t0\nNSpid:\t7\n"
        );
        assert_eq!(String::from_utf8_lossy(&said), wanted);
    }

    #[test]
    fn others_stay() {
        let said = b"7 7 7\0".to_vec();
        assert_eq!(renumber(ProcFile::Cmdline, said.clone(), 2, 9), said);
    }

    /// A line of stat with that start.
    fn started(pid: u32, start: &str) -> String {
        let before = "0 ".repeat(START - 1);
        format!("{pid} (a) S {before}{start} 4096 1\n")
    }

    #[test]
    fn who_began_before_this_node_began_with_it() {
        for (start, later, wanted) in [
            ("500", -300, "200"),
            ("500", -501, "0"),
            ("500", 300, "800"),
            ("18446744073709551615", 1, "18446744073709551615"),
            ("x", 1, "x"),
        ] {
            let said = renumber(ProcFile::Stat, started(7, start).into_bytes(), 2, later);
            assert_eq!(String::from_utf8_lossy(&said), started(NODE + 7, wanted));
        }
    }

    proptest! {
        #[test]
        fn anything_can_be_said(said: Vec<u8>, node: u16, later: i64) {
            let lines = said.iter().filter(|byte| **byte == b'\n').count();
            renumber(ProcFile::Stat, said.clone(), node, later);
            let out = renumber(ProcFile::Status, said, node, later);
            prop_assert!(out.iter().filter(|byte| **byte == b'\n').count() >= lines);
        }

        /// Of two processes of any nodes, the one that began later has the later start here, and
        /// is as old here as it is there.
        #[test]
        fn starts_of_all_nodes_can_be_compared(
            boots in [500_000_i64..1_000_000, 500_000_i64..1_000_000],
            starts in [0_i64..1_000_000, 0_i64..1_000_000],
            boot_here in 0_i64..500_000,
        ) {
            let here = |at: usize| {
                let stat = started(7, &starts[at].to_string()).into_bytes();
                let said = renumber(ProcFile::Stat, stat, 2, boots[at] - boot_here);
                let said = String::from_utf8(said).expect("text");
                let start = said.split(' ').nth(21).expect("a start");
                start.parse::<i64>().expect("a number")
            };
            for at in 0..2 {
                prop_assert_eq!(here(at) + boot_here, starts[at] + boots[at]);
            }
            let began = |at: usize| boots[at] + starts[at];
            prop_assert_eq!(here(0).cmp(&here(1)), began(0).cmp(&began(1)));
        }

        #[test]
        fn names_stay(name in "[ ()a-z0-9]{1,15}", pid in 1_u32..1 << 22) {
            let said = format!("{pid} ({name}) R 0 0 0 0 -1 0\n").into_bytes();
            let out = renumber(ProcFile::Stat, said, 2, 0);
            let wanted = format!("{} ({name}) R 0 0 0 0 -1 0\n", NODE + pid).into_bytes();
            prop_assert_eq!(out, wanted);
        }
    }
}
