//! Where something is to run: that the nodes are there, and nothing is contradicted.

use super::super::place::{Backup, Favoured, Place, Selection};
use super::super::world::World;

/// What is said of a process about its moves.
#[derive(Clone, Copy, Default)]
pub(super) struct Moves<'a> {
    pub(super) reject: &'a [u8],
    pub(super) overlap: bool,
}

/// What was said and can't be, by field.
pub(super) fn check(
    place: &Place,
    pinned: Option<bool>,
    moves: Moves<'_>,
    world: &dyn World,
    wrong: &mut dyn FnMut(&str, String),
) {
    nodes(place, world, wrong);
    contradictions(place, wrong);
    match (pinned, place.is_pinned()) {
        (Some(true), false) => wrong(
            "pinned",
            "pinned = true, but to which node? Say favoured = 1, \"all\" or \"root\"".to_owned(),
        ),
        (Some(false), true) => wrong(
            "pinned",
            "pinned = false floats, but favoured names a node; say favoured = \"any\"".to_owned(),
        ),
        _ => {}
    }
    if !moves.reject.is_empty() && !place.can_move() {
        let message = "reject asks for another node, and there is none it may run on";
        wrong("reject", message.to_owned());
    }
    if moves.overlap && !place.can_move() {
        let message = "overlap is for what moves, and there is no other node it may run on";
        wrong("overlap", message.to_owned());
    }
}

fn nodes(place: &Place, world: &dyn World, wrong: &mut dyn FnMut(&str, String)) {
    let favoured = match place.favoured {
        Favoured::Node(node) => vec![node],
        _ => Vec::new(),
    };
    let backups = match &place.backup {
        Backup::Nodes(nodes) => nodes.clone(),
        Backup::Any => Vec::new(),
    };
    for (field, nodes) in [
        ("favoured", &favoured),
        ("backup", &backups),
        ("nodes", &place.nodes),
    ] {
        for (n, node) in nodes.iter().enumerate() {
            if !world.has_node(*node) {
                let known = world.nodes();
                let list: Vec<String> = known.iter().map(ToString::to_string).collect();
                let list = list.join(", ");
                let message = format!("{field}: there is no node {node}; there are {list}");
                wrong(field, message);
            } else if nodes[..n].contains(node) {
                wrong(field, format!("{field} has node {node} twice"));
            } else if !place.nodes.is_empty() && !place.nodes.contains(node) {
                let message = format!("{field}: node {node} is not in nodes, where it may run");
                wrong(field, message);
            }
        }
    }
}

fn contradictions(place: &Place, wrong: &mut dyn FnMut(&str, String)) {
    let backup = place.backup != Backup::default();
    match place.favoured {
        Favoured::Node(node) => {
            if matches!(&place.backup, Backup::Nodes(nodes) if nodes.contains(&node)) {
                let message = format!("node {node} is favoured; it can't be its own backup");
                wrong("backup", message);
            }
        }
        Favoured::Any => {
            if backup {
                let message = "backup without a favoured node: say favoured = 1, or no backup";
                wrong("backup", message.to_owned());
            }
            if place.selection == Some(Selection::FNode) {
                let message = "restart_on = \"F_node\" without a favoured node";
                wrong("restart_on", message.to_owned());
            }
        }
        Favoured::All | Favoured::Root => {
            let where_it_runs = match place.favoured {
                Favoured::All => "on each node",
                _ => "on the root node only",
            };
            for (field, said) in [
                ("backup", backup),
                ("restart_on", place.selection.is_some()),
                ("failback", place.failback),
            ] {
                if said {
                    let message = format!("it runs {where_it_runs}: {field} has no meaning");
                    wrong(field, message);
                }
            }
        }
    }
    if place.failback && place.favoured == Favoured::Any {
        let message = "failback without a favoured node to go back to";
        wrong("failback", message.to_owned());
    }
}
