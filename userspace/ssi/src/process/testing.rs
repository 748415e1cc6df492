//! Nodes made up for tests.

use ssi_api::process::{NodeProcesses, ProcessView, ProcessesView};

/// A node, booted so many nanoseconds after 1970, with its processes.
pub(crate) fn node(number: u16, booted: u64, processes: Vec<ProcessView>) -> NodeProcesses {
    NodeProcesses {
        number,
        name: format!("blue{number}"),
        said: ProcessesView {
            source: String::new(),
            at: 0,
            booted,
            memory: 0,
            load: None,
            processes,
        },
    }
}
