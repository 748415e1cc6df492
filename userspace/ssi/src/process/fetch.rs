//! The processes, from `ssid`.

use ssi_api::control::{Client, Reply, Request};
use ssi_api::process::{
    ClusterForwarded, ClusterLoads, ClusterProcesses, NodeProcesses, ProcessRequest,
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

/// The processes of `nodes`, or of all. Of a machine that is in no cluster, they are those of
/// a node of number 0.
pub(crate) fn fetch(common: &Common, nodes: &[Node], args: bool) -> Result<ClusterProcesses, Fail> {
    let mut client = common.connect()?;
    let mut nodes = numbers(&mut client, nodes)?;
    let mut all = ClusterProcesses::default();
    // What doesn't go into one reply goes into the next; each has one node at least.
    loop {
        let request = Request::Process(ProcessRequest::List { args, nodes });
        let part = match client.request(request)? {
            Reply::ClusterProcesses(part) => *part,
            Reply::Processes(said) => ClusterProcesses {
                nodes: vec![NodeProcesses {
                    number: 0,
                    name: String::new(),
                    said: *said,
                }],
                ..ClusterProcesses::default()
            },
            other => return Err(client.unexpected(&other).into()),
        };
        all.here = part.here;
        all.nodes.extend(part.nodes);
        all.missing.extend(part.missing);
        if part.left.is_empty() {
            break;
        }
        nodes = Some(part.left);
    }
    all.nodes.sort_by_key(|node| node.number);
    Ok(all)
}
