use std::fmt::Write;

use ssi_api::cluster::{ClusterView, NodeState};

use crate::node;
use crate::output;

/// The cluster, its epoch, its master and voters, and this node.
pub(crate) fn heading(view: &ClusterView) -> String {
    let up = view
        .nodes
        .iter()
        .filter(|node| node.state == NodeState::Up)
        .count();
    let master = view
        .master
        .map_or_else(|| "none".to_owned(), |master| node::called(view, master));
    let this = node::this(view).map_or_else(
        || view.node.to_string(),
        |this| format!("{}, {}", node::name(this), this.state),
    );
    let mut text = String::new();
    let mut line = |key: &str, value: &str| {
        let _ = writeln!(text, "{key:<10} {}", output::plain(value));
    };
    line(
        "cluster",
        &format!(
            "{}, epoch {}, {up} of {} nodes UP",
            view.name,
            view.epoch,
            view.nodes.len()
        ),
    );
    line("master", &master);
    line("voters", &node::voters(view));
    line("this node", &this);
    text
}
