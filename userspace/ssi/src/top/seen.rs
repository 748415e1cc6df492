//! What is seen of the cluster at one time, and what it says compared with the time before.

use std::collections::HashMap;

use serde::Serialize;
use ssi_api::cluster::NodeState;
use ssi_api::process::{
    BusyView, ClusterProcesses, Cpid, ForwardedView, Missing, ProcessView, Target,
};

/// All of it.
#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct Seen {
    /// The time of day where it was seen.
    pub(super) time: String,
    /// The cluster's name; of a machine in none, its own.
    pub(super) name: String,
    /// None in no cluster.
    pub(super) epoch: Option<u64>,
    /// The master, number and name.
    pub(super) master: Option<String>,
    pub(super) nodes: Vec<NodeRow>,
    pub(super) processes: Vec<ProcessRow>,
    /// Nodes whose processes are not there, and why.
    pub(super) missing: Vec<Missing>,
}

/// A node.
#[derive(Clone, Debug, Serialize)]
pub(super) struct NodeRow {
    /// 0: the machine is in no cluster.
    pub(super) number: u16,
    pub(super) name: String,
    pub(super) state: Option<NodeState>,
    /// None: it didn't say.
    pub(super) busy: Option<BusyView>,
    /// The connections of clients that it forwards; none: it didn't say.
    pub(super) forwarded: Option<ForwardedView>,
    /// What its processes use of its processors, %.
    pub(super) cpu: Option<f64>,
    /// Why its processes are not shown.
    pub(super) why: Option<String>,
}

/// A process.
#[derive(Clone, Debug, Serialize)]
pub(super) struct ProcessRow {
    pub(super) node: u16,
    /// % of a processor since the time before; at first, in all its life.
    pub(super) cpu: f64,
    /// % of its node's memory.
    pub(super) mem: f64,
    #[serde(flatten)]
    pub(super) process: ProcessView,
}

impl ProcessRow {
    /// What it is known by.
    pub(super) fn target(&self) -> Target {
        Target {
            node: Some(self.node).filter(|node| *node > 0),
            // A pid has 22 bits.
            pid: self.process.pid.cast_signed(),
            start: Some(self.process.start),
        }
    }

    /// Its number, as it is written.
    pub(super) fn number(&self) -> String {
        let cpid = Cpid::new(self.node, self.process.pid);
        cpid.map_or_else(|| self.process.pid.to_string(), |cpid| cpid.to_string())
    }
}

/// Which process: node, pid, start.
type Key = (u16, u32, u64);

/// What processes had used the time before.
#[derive(Debug, Default)]
pub(super) struct Meter {
    /// By node, when that was.
    at: HashMap<u16, u64>,
    run: HashMap<Key, u64>,
}

impl Meter {
    /// The processes with what they use, and what those of each node use together, in processors.
    pub(super) fn read(&mut self, all: ClusterProcesses) -> (Vec<ProcessRow>, HashMap<u16, f64>) {
        let mut at = HashMap::new();
        let mut run = HashMap::with_capacity(self.run.len());
        let mut rows = Vec::new();
        let mut used = HashMap::new();
        for node in all.nodes {
            let number = node.number;
            at.insert(number, node.said.at);
            let before = self.at.get(&number).copied();
            let mut sum = 0.0;
            rows.reserve(node.said.processes.len());
            for process in node.said.processes {
                let key = (number, process.pid, process.start);
                let (old, since) = match (self.run.get(&key), before) {
                    (Some(old), Some(before)) => (*old, before),
                    _ => (0, process.start.max(before.unwrap_or(0))),
                };
                let time = node.said.at.saturating_sub(since);
                let cpu = match time {
                    0 => 0.0,
                    time => 100.0 * process.run.saturating_sub(old) as f64 / time as f64,
                };
                sum += cpu / 100.0;
                run.insert(key, process.run);
                let mem = match node.said.memory {
                    0 => 0.0,
                    memory => 100.0 * process.rss as f64 / memory as f64,
                };
                rows.push(ProcessRow {
                    node: number,
                    cpu,
                    mem,
                    process,
                });
            }
            // In all their lives means nothing for the node now.
            if before.is_some() {
                used.insert(number, sum);
            }
        }
        (self.at, self.run) = (at, run);
        (rows, used)
    }
}

#[cfg(test)]
mod tests {
    use ssi_api::process::{NodeProcesses, ProcessesView};

    use super::*;

    #[test]
    fn use_is_of_the_time_between() {
        const SECOND: u64 = 1_000_000_000;
        let all = |at: u64, run: u64, start: u64| ClusterProcesses {
            nodes: vec![NodeProcesses {
                number: 2,
                name: String::new(),
                said: ProcessesView {
                    source: String::new(),
                    at,
                    booted: 0,
                    memory: 1000,
                    load: None,
                    processes: vec![ProcessView {
                        pid: 7,
                        start,
                        run,
                        rss: 500,
                        ..ProcessView::default()
                    }],
                },
            }],
            ..ClusterProcesses::default()
        };
        let mut meter = Meter::default();
        let (rows, used) = meter.read(all(10 * SECOND, SECOND, 0));
        assert_eq!((rows[0].cpu, rows[0].mem, used.get(&2)), (10.0, 50.0, None));
        let (rows, used) = meter.read(all(12 * SECOND, 2 * SECOND, 0));
        assert_eq!((rows[0].cpu, used[&2]), (50.0, 0.5));
        // Another one that has its number by now.
        let (rows, _) = meter.read(all(14 * SECOND, SECOND, 13 * SECOND));
        assert_eq!(rows[0].cpu, 100.0);
        let (rows, _) = meter.read(all(14 * SECOND, SECOND, 13 * SECOND));
        assert_eq!(rows[0].cpu, 0.0);
    }
}
