//! Who observes whom.
//!
//! The nodes stand in a ring whose order the cluster's identity has shuffled; a node is
//! observed by those that stand a fixed set of distances after it. So every node works
//! out its own few subjects from the view alone, and each has as many observers as
//! subjects.

use super::{NodeId, Timing, View};

/// The ring of a view.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ring {
    order: Vec<NodeId>,
    distances: Vec<usize>,
}

impl Ring {
    /// The ring of all who take part in a view.
    #[must_use]
    pub fn new(view: &View) -> Self {
        let mut order: Vec<(u64, NodeId)> = view
            .present()
            .map(|member| {
                let number = u64::from(member.id.number.get());
                (shuffle(view.identity ^ number), member.id)
            })
            .collect();
        order.sort_unstable();
        let order: Vec<NodeId> = order.into_iter().map(|(_, id)| id).collect();
        let distances = distances(order.len(), view.identity);
        Self { order, distances }
    }

    /// How many observers each node has.
    #[must_use]
    pub fn observers_each(&self) -> usize {
        self.distances.len()
    }

    /// Who observes a node.
    pub fn observers(&self, of: NodeId) -> impl Iterator<Item = NodeId> {
        self.around(of, |place, distance, nodes| (place + distance) % nodes)
    }

    /// Whom a node observes.
    pub fn subjects(&self, of: NodeId) -> impl Iterator<Item = NodeId> {
        self.around(of, |place, distance, nodes| {
            (place + nodes - distance) % nodes
        })
    }

    fn around(
        &self,
        of: NodeId,
        step: impl Fn(usize, usize, usize) -> usize,
    ) -> impl Iterator<Item = NodeId> {
        let place = self.order.iter().position(|id| *id == of);
        place.into_iter().flat_map(move |place| {
            self.distances
                .iter()
                .map(|distance| self.order[step(place, *distance, self.order.len())])
                .collect::<Vec<_>>()
        })
    }
}

/// As many different distances as a node has observers.
fn distances(nodes: usize, identity: u64) -> Vec<usize> {
    let wanted = Timing::observers(nodes);
    let mut distances: Vec<usize> = Vec::with_capacity(wanted);
    if wanted + 1 == nodes {
        return (1..nodes).collect();
    }
    let mut state = identity;
    while distances.len() < wanted {
        state = shuffle(state.wrapping_add(1));
        let distance = 1 + (state % (nodes as u64 - 1)) as usize;
        if !distances.contains(&distance) {
            distances.push(distance);
        }
    }
    distances
}

/// The finalizer of `SplitMix64` (Steele, Lea, Flood: "Fast splittable pseudorandom number
/// generators", OOPSLA 2014): a bijection that leaves no trace of order.
const fn shuffle(word: u64) -> u64 {
    let word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ (word >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::testing::view_of;

    #[test]
    fn observers_and_subjects_are_two_sides_of_one_thing() {
        for nodes in [1, 2, 3, 10, 11, 12, 15, 100, 511] {
            let view = view_of(nodes);
            let ring = Ring::new(&view);
            let wanted = 10.min(usize::from(nodes) - 1);
            for member in view.present() {
                let observers: std::collections::BTreeSet<_> = ring.observers(member.id).collect();
                assert_eq!(observers.len(), wanted, "{nodes}: all different");
                assert!(!observers.contains(&member.id), "nobody observes itself");
                for observer in observers {
                    assert!(ring.subjects(observer).any(|subject| subject == member.id));
                }
            }
        }
    }
}
