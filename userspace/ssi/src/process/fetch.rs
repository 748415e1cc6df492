//! The processes, from `ssid`.

use ssi_api::control::{Client, Reply, Request};
use ssi_api::process::{
    ClusterForwarded, ClusterLoads, ClusterProcesses, ClusterWaits, ProcessRequest,
};

use crate::args::Common;
use crate::cluster;
use crate::fail::Fail;
use crate::node::Node;

/// The numbers of `nodes`; none: of all.
fn numbers(client: &mut Client, nodes: &[Node]) -> Result<Option<Vec<u16>>, Fail> {
    if nodes.is_empty() {
        return Ok(None);
    }
    let view = cluster::show(client)?;
    let numbers = nodes.iter().map(|node| Ok(node.find(&view)?.number));
    Ok(Some(numbers.collect::<Result<_, Fail>>()?))
}

/// How busy `nodes` are, or all.
pub(crate) fn loads(client: &mut Client, nodes: &[Node]) -> Result<ClusterLoads, Fail> {
    let nodes = numbers(client, nodes)?;
    match client.request(Request::Process(ProcessRequest::Loads { nodes }))? {
        Reply::Loads(loads) => Ok(loads),
        other => Err(client.unexpected(&other).into()),
    }
}

/// How many connections `nodes`, or all, forward.
pub(crate) fn forwarded(client: &mut Client, nodes: &[Node]) -> Result<ClusterForwarded, Fail> {
    let nodes = numbers(client, nodes)?;
    match client.request(Request::Process(ProcessRequest::Forwarded { nodes }))? {
        Reply::Forwarded(forwarded) => Ok(forwarded),
        other => Err(client.unexpected(&other).into()),
    }
}

/// How long tasks wait for processors of `nodes`, or of all.
pub(crate) fn waits(client: &mut Client, nodes: &[Node]) -> Result<ClusterWaits, Fail> {
    let nodes = numbers(client, nodes)?;
    match client.request(Request::Process(ProcessRequest::Waits { nodes }))? {
        Reply::Waits(waits) => Ok(waits),
        other => Err(client.unexpected(&other).into()),
    }
}

/// The processes of `nodes`, or of all. Of a machine that is in no cluster, they are those of
/// a node of number 0.
pub(crate) fn fetch(common: &Common, nodes: &[Node], args: bool) -> Result<ClusterProcesses, Fail> {
    let mut client = common.connect()?;
    let (mut nodes, mut after) = (numbers(&mut client, nodes)?, 0);
    let mut all = ClusterProcesses::default();
    // What doesn't go into one reply goes into the next; each has one process at least.
    loop {
        let request = Request::Process(ProcessRequest::List { args, nodes, after });
        let part = match client.request(request)? {
            Reply::ClusterProcesses(part) => *part,
            other => return Err(client.unexpected(&other).into()),
        };
        add(&mut all, part);
        if let Some(rest) = all.rest.take() {
            // Number 0 is a machine in no cluster, where nobody else is asked.
            nodes = (rest.node > 0).then(|| vec![rest.node]);
            after = rest.after;
        } else if all.left.is_empty() {
            break;
        } else {
            (nodes, after) = (Some(std::mem::take(&mut all.left)), 0);
        }
    }
    all.nodes.sort_by_key(|node| node.number);
    Ok(all)
}

/// Adds another reply to what is known.
fn add(all: &mut ClusterProcesses, part: ClusterProcesses) {
    all.here = part.here;
    for node in part.nodes {
        match all.nodes.last_mut() {
            Some(last) if last.number == node.number => {
                last.said.processes.extend(node.said.processes);
            }
            _ => all.nodes.push(node),
        }
    }
    all.missing.extend(part.missing);
    all.left.extend(part.left);
    all.rest = part.rest;
}

#[cfg(test)]
mod tests {
    use ssi_api::process::{ProcessView, Rest};

    use super::*;
    use crate::process::testing::node;

    #[test]
    fn parts_of_a_node_are_one_node() {
        let with = |number, pids: &[u32]| {
            let processes = pids.iter().map(|pid| ProcessView {
                pid: *pid,
                ..ProcessView::default()
            });
            node(number, 0, processes.collect())
        };
        let mut all = ClusterProcesses::default();
        for (nodes, left, rest) in [
            (vec![with(2, &[1, 2])], vec![1], Some(2)),
            (vec![with(2, &[3])], vec![], None),
            (vec![with(1, &[7])], vec![], None),
        ] {
            let part = ClusterProcesses {
                here: 1,
                nodes,
                left,
                rest: rest.map(|after| Rest { node: 2, after }),
                ..ClusterProcesses::default()
            };
            add(&mut all, part);
        }
        let pids = |node: &ssi_api::process::NodeProcesses| {
            let pids = node.said.processes.iter().map(|process| process.pid);
            (node.number, pids.collect::<Vec<_>>())
        };
        let nodes: Vec<_> = all.nodes.iter().map(pids).collect();
        assert_eq!(nodes, [(2, vec![1, 2, 3]), (1, vec![7])]);
        assert_eq!((all.left, all.rest), (vec![1], None));
    }
}
