use serde::{Deserialize, Serialize};

// Nodes tell each other these in a form without names (postcard): no field may be left out.

/// How long tasks waited for a processor of a node each time that they got one, since it measures
/// that.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WaitsView {
    /// The least that was waited in each bucket, in nanoseconds, and how many waited so long;
    /// shortest first, without empty ones. Buckets are a quarter wide at most.
    pub buckets: Vec<(u64, u64)>,
}

impl WaitsView {
    /// How often somebody got a processor.
    #[must_use]
    pub fn turns(&self) -> u64 {
        self.buckets.iter().map(|(_, turns)| turns).sum()
    }

    /// What of a thousand that got one, so many waited no longer than, in nanoseconds: the least
    /// of its bucket. None: nobody did yet.
    #[must_use]
    pub fn percentile(&self, permille: u64) -> Option<u64> {
        let all = u128::from(self.turns()) * u128::from(permille);
        let wanted = all.div_ceil(1_000).max(1);
        let mut seen = 0_u128;
        let found = self.buckets.iter().find(|(_, turns)| {
            seen += u128::from(*turns);
            seen >= wanted
        });
        found.map(|(least, _)| *least)
    }
}

/// How long tasks waited on the nodes of a cluster. A node that doesn't measure it is not there.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClusterWaits {
    /// In order of their numbers; 0: the node that was asked, in no cluster.
    pub nodes: Vec<(u16, WaitsView)>,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn of_nobody_there_is_none() {
        let none = WaitsView::default();
        assert_eq!((none.turns(), none.percentile(500)), (0, None));
        let one = WaitsView {
            buckets: vec![(7, 1)],
        };
        assert_eq!(
            (one.percentile(0), one.percentile(1_000)),
            (Some(7), Some(7))
        );
    }

    proptest! {
        #[test]
        fn percentiles_are_those_of_a_sorted_list(
            mut waits in prop::collection::vec(0_u64..20, 1..200), permille in 1_u64..=1_000,
        ) {
            waits.sort_unstable();
            let chunks = waits.chunk_by(|one, other| one == other);
            let view = WaitsView {
                buckets: chunks.map(|same| (same[0], same.len() as u64)).collect(),
            };
            let at = (waits.len() * permille as usize).div_ceil(1_000) - 1;
            prop_assert_eq!(view.percentile(permille), Some(waits[at]));
            prop_assert_eq!(view.turns(), waits.len() as u64);
        }
    }
}
