use ssi_api::cluster::{ClusterView, MemberView};

use crate::output;
use crate::units::Clock;

/// A row for each node, and one for the witness.
pub(crate) fn nodes(view: &ClusterView, clock: &Clock) -> String {
    let mut rows: Vec<_> = view
        .nodes
        .iter()
        .map(|node| {
            [
                node.number.to_string(),
                node.name.clone(),
                node.state.to_string(),
                since(node, clock),
                addresses(node),
                roles(view, node),
            ]
        })
        .collect();
    rows.extend(view.witness.as_ref().map(|witness| {
        [
            "-",
            "witness",
            "-",
            "-",
            &witness.address.to_string(),
            "witness",
        ]
        .map(str::to_owned)
    }));
    output::table(["NODE", "NAME", "STATE", "SINCE", "ADDRESS", "ROLES"], rows)
}

/// For how long it has been in its state.
pub(crate) fn since(node: &MemberView, clock: &Clock) -> String {
    node.since
        .map_or_else(|| "-".to_owned(), |since| clock.since(since))
}

/// Where it is.
pub(crate) fn addresses(node: &MemberView) -> String {
    let addresses: Vec<_> = node.addresses.iter().map(ToString::to_string).collect();
    addresses.join(" ")
}

/// What it is besides being a node.
pub(crate) fn roles(view: &ClusterView, node: &MemberView) -> String {
    let roles: Vec<_> = [
        ("master", view.master == Some(node.number)),
        ("voter", view.voters.contains(&node.number)),
        ("this node", view.node == node.number),
    ]
    .into_iter()
    .filter_map(|(role, has)| has.then_some(role))
    .collect();
    if roles.is_empty() {
        return "-".to_owned();
    }
    roles.join(", ")
}
