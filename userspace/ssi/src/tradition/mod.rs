//! Commands as the users of the original remember them, a file each. `cluster` is `ssi
//! cluster`.

pub(crate) mod cluster_maxnodes;
pub(crate) mod clustername;
pub(crate) mod clusternode_avail;
pub(crate) mod clusternode_getstate;
pub(crate) mod clusternode_info;
pub(crate) mod clusternode_num;
pub(crate) mod clustertab;
pub(crate) mod node_pid;
pub(crate) mod spawndaemon;
pub(crate) mod where_pid;

use ssi_api::cluster::{ClusterView, MemberView};
use ssi_api::control::{Client, Reply, Request};

use crate::fail::Fail;
use crate::node::{self, Node};

/// The node that is asked about: the one that was said, or this one.
fn asked<'a>(node: Option<&Node>, view: &'a ClusterView) -> Result<&'a MemberView, Fail> {
    match node {
        Some(node) => node.find(view),
        None => node::this(view).ok_or_else(|| {
            Fail::Failed(format!(
                "this node, {}, is not known to cluster {} any more; join it anew with: ssi join",
                view.node, view.name
            ))
        }),
    }
}

/// This node's number; 0 in no cluster.
fn here(client: &mut Client) -> Result<u16, Fail> {
    match client.request(Request::Status)? {
        // Without membership it is a number that somebody has configured.
        Reply::Status(status) if status.member.is_none() => Ok(0),
        Reply::Status(status) => Ok(u16::try_from(status.node.number).unwrap_or(0)),
        other => Err(client.unexpected(&other).into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::testing::view;

    #[test]
    fn this_node_if_none_is_said() {
        let mut view = view();
        assert_eq!(asked(None, &view).unwrap().number, 2);
        let node: Node = "blue3".parse().unwrap();
        assert_eq!(asked(Some(&node), &view).unwrap().number, 3);
        view.nodes.remove(1);
        assert!(matches!(asked(None, &view), Err(Fail::Failed(_))));
    }
}
