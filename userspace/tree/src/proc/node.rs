//! What is said of a node: a line or a few for programs to read.

use std::fmt::Write as _;

use ssi_api::cluster::ClusterView;
use ssi_api::process::ClusterLoads;

use super::entry::NodeFile;

/// The state of a node, if it is known: a word of the original's.
pub(super) fn state(view: &ClusterView, node: u16) -> Option<String> {
    let member = view.nodes.iter().find(|member| member.number == node)?;
    Some(format!("{}\n", member.state))
}

/// A node's number and name: where a process is.
pub(super) fn place(view: &ClusterView, node: u16) -> Option<String> {
    let member = view.nodes.iter().find(|member| member.number == node)?;
    Some(format!("{node} {}\n", member.name))
}

/// What else is said of a node, if it has sampled it already: its load as others decide by it, its
/// processors, its memory in the words and units of meminfo (proc(5)), or the seconds since it
/// was booted.
pub(super) fn busy(loads: &ClusterLoads, file: NodeFile) -> Option<String> {
    let busy = &loads.nodes.first()?.busy;
    if busy.cpus == 0 {
        return None;
    }
    let mut text = String::new();
    let written = match file {
        NodeFile::State => return None,
        NodeFile::Load => writeln!(text, "{:.0}", busy.load?.upper),
        NodeFile::Uptime => {
            let hundredths = busy.up / 10_000_000;
            writeln!(text, "{}.{:02}", hundredths / 100, hundredths % 100)
        }
        NodeFile::Cpus => writeln!(text, "{}", busy.cpus),
        NodeFile::Mem => [
            ("MemTotal:", busy.memory),
            ("MemAvailable:", busy.free),
            ("SwapTotal:", busy.swap),
            ("SwapFree:", busy.swap_free),
        ]
        .into_iter()
        .try_for_each(|(name, bytes)| writeln!(text, "{name:<15}{:>9} kB", bytes / 1024)),
    };
    written.ok()?;
    Some(text)
}

#[cfg(test)]
mod tests {
    use ssi_api::process::{BusyView, LoadView, NodeBusy};

    use super::*;

    #[test]
    fn a_node_that_said_so() {
        let load = LoadView {
            load: 40.0,
            mean: 50.0,
            upper: 61.5,
            process: 100.0,
        };
        let busy_node = NodeBusy {
            number: 2,
            name: "blue2".to_owned(),
            busy: BusyView {
                load: Some(load),
                cpus: 4,
                processes: 100,
                running: 1,
                up: 93_784_250_000_000,
                memory: 8 << 30,
                free: 3 << 30,
                swap: 0,
                swap_free: 0,
                pressure: None,
            },
        };
        let loads = ClusterLoads {
            here: 1,
            nodes: vec![busy_node],
            missing: Vec::new(),
        };
        assert_eq!(busy(&loads, NodeFile::Load).as_deref(), Some("62\n"));
        assert_eq!(busy(&loads, NodeFile::Cpus).as_deref(), Some("4\n"));
        let uptime = busy(&loads, NodeFile::Uptime);
        assert_eq!(uptime.as_deref(), Some("93784.25\n"));
        let mem = busy(&loads, NodeFile::Mem).expect("it is known");
        assert!(
            mem.starts_with("MemTotal:        8388608 kB\nMemAvailable:    3145728 kB\n"),
            "{mem}"
        );
        assert_eq!(busy(&ClusterLoads::default(), NodeFile::Load), None);
    }
}
