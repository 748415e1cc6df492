//! Looking, by way of `ssid`.

use ssi_api::control::{Client, Reply, Request};
use ssi_api::process::{ClusterLoads, Missing};

use super::seen::{Meter, NodeRow, Seen};
use crate::args::Common;
use crate::fail::Fail;
use crate::node::{self, Node};
use crate::units::Clock;
use crate::{cluster, process};

/// Whoever looks, and what there was before.
pub(super) struct Looker {
    pub(super) common: Common,
    nodes: Vec<Node>,
    user: Option<u32>,
    meter: Meter,
}

impl Looker {
    /// At these nodes, or all; only at processes of `user`, or of everybody.
    pub(super) fn new(common: Common, nodes: Vec<Node>, user: Option<u32>) -> Self {
        Self {
            common,
            nodes,
            user,
            meter: Meter::default(),
        }
    }

    /// As it is now; with arguments or without.
    pub(super) fn look(&mut self, args: bool) -> Result<Seen, Fail> {
        // Each time another connection: ssid may have been restarted.
        let mut client = self.common.connect()?;
        let loads = process::loads(&mut client, &self.nodes)?;
        let forwarded = process::forwarded(&mut client, &self.nodes)?;
        let mut seen = self.heading(&mut client, &loads)?;
        let all = process::fetch(&self.common, &self.nodes, args)?;
        let missing = all.missing.clone();
        let (mut processes, used) = self.meter.read(all);
        if let Some(user) = self.user {
            processes.retain(|row| row.process.euid == user);
        }
        for node in &mut seen.nodes {
            let said = forwarded.nodes.iter().find(|said| said.0 == node.number);
            node.forwarded = said.map(|(_, forwarded)| *forwarded);
            let cpus = node.busy.map_or(0, |busy| busy.cpus);
            let used = used.get(&node.number).filter(|_| cpus > 0);
            node.cpu = used.map(|used| 100.0 * used / f64::from(cpus));
        }
        let silent = loads.missing.iter().chain(&missing);
        for Missing { number, why, .. } in silent {
            if let Some(node) = seen.nodes.iter_mut().find(|node| node.number == *number) {
                node.why = Some(why.clone());
            }
        }
        (seen.processes, seen.missing) = (processes, missing);
        Ok(seen)
    }

    /// The cluster and its nodes.
    fn heading(&self, client: &mut Client, loads: &ClusterLoads) -> Result<Seen, Fail> {
        let time = Clock::system().time();
        let busy = |number| loads.nodes.iter().find(|node| node.number == number);
        if loads.here == 0 {
            let name = match client.request(Request::Status)? {
                Reply::Status(status) => status.node.name,
                other => return Err(client.unexpected(&other).into()),
            };
            let node = NodeRow {
                number: 0,
                name: name.clone(),
                state: None,
                busy: busy(0).map(|node| node.busy),
                forwarded: None,
                cpu: None,
                why: None,
            };
            return Ok(Seen {
                time,
                name,
                nodes: vec![node],
                ..Seen::default()
            });
        }
        let view = cluster::show(client)?;
        // Who was asked has answered or is missing.
        let wanted = |number| {
            self.nodes.is_empty()
                || busy(number).is_some()
                || loads.missing.iter().any(|node| node.number == number)
        };
        let members = view.nodes.iter().filter(|member| wanted(member.number));
        let nodes = members.map(|member| NodeRow {
            number: member.number,
            name: member.name.clone(),
            state: Some(member.state),
            busy: busy(member.number).map(|node| node.busy),
            forwarded: None,
            cpu: None,
            why: None,
        });
        Ok(Seen {
            time,
            name: view.name.clone(),
            epoch: Some(view.epoch),
            master: view.master.map(|master| node::called(&view, master)),
            nodes: nodes.collect(),
            ..Seen::default()
        })
    }
}
