//! Corosync 3, with knet and votequorum as it comes.

use std::fmt::Write as _;
use std::time::Duration;

use anyhow::Result;

use super::super::site::{Nodes, Site};
use super::{Contender, need};
use crate::testbed::testbed;

const CONFIG: &str = "/run/corosync.conf";

/// Corosync, with a token timeout, or its own.
#[derive(Debug)]
pub(crate) struct Corosync {
    /// Milliseconds; 650 more for each node beyond two (`token_coefficient`).
    token: Option<u16>,
    /// Of the cluster, up or not.
    nodes: u8,
}

impl Corosync {
    /// For a cluster of nodes 1 to `nodes`.
    pub(crate) fn new(nodes: u8, token: Option<u16>) -> Result<Self> {
        need("corosync", "corosync")?;
        Ok(Self { token, nodes })
    }

    fn config(&self) -> String {
        let mut text = "totem {\n version: 2\n cluster_name: bench\n".to_owned();
        if let Some(token) = self.token {
            let _ = writeln!(text, " token: {token}");
        }
        text += "}\nquorum {\n provider: corosync_votequorum\n}\n";
        text += "logging {\n to_stderr: yes\n to_syslog: no\n}\nnodelist {\n";
        for node in 1..=self.nodes {
            let address = Site::address(node);
            let _ = writeln!(
                text,
                " node {{\n  nodeid: {node}\n  name: node{node}\n  ring0_addr: {address}\n }}"
            );
        }
        text + "}\n"
    }
}

impl Contender for Corosync {
    fn name(&self) -> String {
        match self.token {
            None => "corosync".to_owned(),
            Some(token) => format!("corosync, token {token} ms"),
        }
    }

    fn process(&self) -> &'static str {
        "corosync"
    }

    fn prepare(&self, nodes: &Nodes) -> Result<()> {
        let config = self.config();
        for node in nodes {
            let node = node.to_string();
            let script = ["exec", &node, "sh", "-ec", &format!("cat >{CONFIG}")];
            testbed(&script, &config)?;
        }
        Ok(())
    }

    fn start(&self, _site: &Site, nodes: &Nodes) -> Result<()> {
        Site::start(nodes, |_| format!("corosync -f -c {CONFIG}"))
    }

    fn members(&self, _site: &Site, node: u8) -> Result<Option<Nodes>> {
        // It fails while it is not there yet, and while there is no quorum.
        let said = Site::sh(node, "corosync-quorumtool -i -l 2>/dev/null || true")?;
        let first = |line: &str| line.split_whitespace().next()?.parse().ok();
        Ok(Some(said.lines().filter_map(first).collect()))
    }

    fn pause(&self) -> Duration {
        Duration::from_millis(10)
    }
}
