//! Nodes, as people name them: by number or by name.

use std::convert::Infallible;
use std::str::FromStr;

use ssi_api::cluster::{ClusterView, MemberView};

use crate::fail::Fail;

/// How many nodes a message lists.
const LISTED: usize = 8;

/// The number that stands for the witness, which is no node, among voters.
const WITNESS: u16 = u16::MAX;

/// A node's number or its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Node(String);

impl FromStr for Node {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Self(text.trim().to_owned()))
    }
}

impl Node {
    /// Which node of `view` is meant. A number is a number, even if some node has it for a
    /// name.
    ///
    /// # Errors
    /// If there is no such node, or several have the name.
    pub(crate) fn find<'a>(&self, view: &'a ClusterView) -> Result<&'a MemberView, Fail> {
        let fail = |why: String| Err(Fail::Failed(why));
        let Self(text) = self;
        if let Ok(number) = text.parse::<u16>() {
            let found = view.nodes.iter().find(|node| node.number == number);
            return found.map_or_else(|| fail(unknown(text, view)), Ok);
        }
        let named: Vec<_> = view
            .nodes
            .iter()
            .filter(|node| node.name.eq_ignore_ascii_case(text))
            .collect();
        match named[..] {
            [node] => Ok(node),
            [] => fail(unknown(text, view)),
            _ => fail(format!(
                "{} nodes are called {text}: {}; say the number",
                named.len(),
                list(named.into_iter())
            )),
        }
    }
}

fn unknown(text: &str, view: &ClusterView) -> String {
    format!(
        "there is no node {text} in cluster {}; there are {} (see: ssi cluster)",
        view.name,
        list(view.nodes.iter())
    )
}

fn list<'a>(nodes: impl Iterator<Item = &'a MemberView>) -> String {
    let names: Vec<_> = nodes.map(name).collect();
    match names.len() {
        0 => "none".to_owned(),
        n if n <= LISTED => names.join(", "),
        n => format!(
            "{} and {} more",
            names[..LISTED].join(", "),
            n.saturating_sub(LISTED)
        ),
    }
}

/// A node's number and name.
pub(crate) fn name(node: &MemberView) -> String {
    format!("{} {}", node.number, node.name)
}

/// The number and the name of the node that has `number`.
pub(crate) fn called(view: &ClusterView, number: u16) -> String {
    if number == WITNESS {
        return "the witness".to_owned();
    }
    view.nodes
        .iter()
        .find(|node| node.number == number)
        .map_or_else(|| number.to_string(), name)
}

/// The voters; the witness, if there is one, with its address.
pub(crate) fn voters(view: &ClusterView) -> String {
    let mut names: Vec<_> = view
        .voters
        .iter()
        .filter(|number| **number != WITNESS)
        .map(|number| called(view, *number))
        .collect();
    if let Some(witness) = &view.witness {
        names.push(format!("the witness at {}", witness.address));
    }
    names.join(", ")
}

/// This node.
pub(crate) fn this(view: &ClusterView) -> Option<&MemberView> {
    view.nodes.iter().find(|node| node.number == view.node)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::testing::view;

    fn find(text: &str) -> Result<u16, String> {
        let node: Node = text.parse().unwrap();
        match node.find(&view()) {
            Ok(node) => Ok(node.number),
            Err(Fail::Failed(why)) => Err(why),
            Err(other) => panic!("{other:?}"),
        }
    }

    #[test]
    fn by_number_and_by_name() {
        assert_eq!(find("3"), Ok(3));
        assert_eq!(find("blue3"), Ok(3));
        assert_eq!(find("BLUE3"), Ok(3));
        for unknown in ["9", "green", "", "-1", "70000"] {
            let why = find(unknown).unwrap_err();
            assert_eq!(
                why,
                format!(
                    "there is no node {unknown} in cluster blue; there are 1 blue1, 2 blue2, \
                     3 blue3, 4 blue4 (see: ssi cluster)"
                )
            );
        }
    }

    #[test]
    fn the_witness_is_no_node() {
        let mut view = view();
        let expected = "1 blue1, 2 blue2, the witness at 10.9.9.9:7118";
        assert_eq!(voters(&view), expected);
        view.voters.push(WITNESS);
        assert_eq!(voters(&view), expected);
        assert_eq!(called(&view, WITNESS), "the witness");
    }

    #[test]
    fn one_name_for_two() {
        let mut view = view();
        view.nodes[3].name = "blue3".to_owned();
        let node: Node = "blue3".parse().unwrap();
        match node.find(&view) {
            Err(Fail::Failed(why)) => assert_eq!(
                why,
                "2 nodes are called blue3: 3 blue3, 4 blue3; say the number"
            ),
            other => panic!("{other:?}"),
        }
    }
}
