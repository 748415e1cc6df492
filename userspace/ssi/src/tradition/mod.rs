//! Commands as the users of the original remember them, a file each. `cluster` is `ssi
//! cluster`.

pub(crate) mod cluster_maxnodes;
pub(crate) mod clustername;
pub(crate) mod clusternode_avail;
pub(crate) mod clusternode_getstate;
pub(crate) mod clusternode_info;
pub(crate) mod clusternode_num;
pub(crate) mod clustertab;

use ssi_api::cluster::{ClusterView, MemberView};

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
