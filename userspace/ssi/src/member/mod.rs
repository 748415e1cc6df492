//! Commands that change who belongs to the cluster, a file each.

pub(crate) mod evict;
pub(crate) mod fenced;
pub(crate) mod forget;
pub(crate) mod init;
pub(crate) mod join;
pub(crate) mod leave;
pub(crate) mod rejoin;
mod secret;
pub(crate) mod token;
pub(crate) mod witness;

use ssi_api::cluster::{ClusterView, MemberView};

/// What a node owns, in words; none: nothing.
fn owned(view: &ClusterView, node: &MemberView) -> Option<String> {
    let names: Vec<_> = view
        .resources
        .iter()
        .filter(|resource| resource.owner == Some(node.number))
        .map(|resource| resource.name.as_str())
        .collect();
    (!names.is_empty()).then(|| names.join(", "))
}

/// Reads a number that a node can have.
fn number(text: &str) -> Result<u16, String> {
    text.parse()
        .ok()
        .filter(|number| *number > 0)
        .ok_or_else(|| format!("{text} is no node number: 1, 2, 3 … are"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::testing::view;

    #[test]
    fn numbers_and_belongings() {
        assert_eq!(number("511"), Ok(511));
        assert!(number("0").is_err() && number("blue2").is_err() && number("65536").is_err());
        let view = view();
        assert_eq!(owned(&view, &view.nodes[0]), None);
        assert_eq!(owned(&view, &view.nodes[1]).unwrap(), "cvip 10.88.0.100");
    }
}
