//! wrr: the order of turns, written out for one period.

use super::Member;

/// Longest period; heavier weights are scaled down to fit.
pub const LONGEST: u32 = 65_536;

/// IPVS's sequence (`ip_vs_wrr.c`): a current weight goes down from the largest by the
/// greatest common divisor, round after round; in each round the servers of at least that
/// weight take a turn. The period is the sum of the weights over their divisor.
#[must_use]
pub fn weighted(members: &[Member]) -> Vec<u16> {
    let weights = scaled(&members.iter().map(|m| m.weight).collect::<Vec<_>>());
    let largest = weights.iter().copied().max().unwrap_or(0);
    (1..=largest)
        .rev()
        .flat_map(|current| {
            let turns = members
                .iter()
                .zip(&weights)
                .filter(move |(_, w)| **w >= current);
            turns.map(|(member, _)| member.index)
        })
        .collect()
}

/// Divided by their greatest common divisor, and further if the period would be too long;
/// none becomes 0.
fn scaled(weights: &[u32]) -> Vec<u32> {
    let divisor = weights.iter().copied().fold(0, gcd).max(1);
    let sum: u64 = weights.iter().map(|w| u64::from(w / divisor)).sum();
    let room = u64::from(LONGEST) - (weights.len() as u64).min(u64::from(LONGEST) / 2);
    if sum <= u64::from(LONGEST) {
        return weights.iter().map(|w| w / divisor).collect();
    }
    weights
        .iter()
        .map(|w| (u64::from(w / divisor) * room / sum).max(1) as u32)
        .collect()
}

fn gcd(a: u32, b: u32) -> u32 {
    if b == 0 { a } else { gcd(b, a % b) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use ssi_api::lvs::ServerName;

    use super::*;

    fn members(weights: &[u32]) -> Vec<Member> {
        let name = ServerName {
            addr: [10, 0, 0, 1].into(),
            port: 80,
        };
        (1..)
            .zip(weights)
            .map(|(index, weight)| Member {
                index,
                weight: *weight,
                name,
            })
            .collect()
    }

    #[test]
    fn the_documented_example_of_ipvs() {
        // ipvsadm(8) and the LVS wiki: weights 4, 3, 2 give AABABCABC.
        assert_eq!(weighted(&members(&[4, 3, 2])), [1, 1, 2, 1, 2, 3, 1, 2, 3]);
        assert_eq!(weighted(&members(&[20, 10])), [1, 1, 2]);
    }

    #[test]
    fn heavy_weights_are_scaled_but_nobody_is_left_out() {
        let order = weighted(&members(&[65535, 65534, 1]));
        assert!(order.len() <= LONGEST as usize + 3);
        assert!(order.contains(&3));
    }

    proptest! {
        #[test]
        fn everyone_gets_its_share(weights in proptest::collection::vec(1..200_u32, 1..20)) {
            let order = weighted(&members(&weights));
            let divisor = weights.iter().copied().fold(0, gcd);
            for (index, weight) in (1..).zip(&weights) {
                let turns = order.iter().filter(|turn| **turn == index).count();
                prop_assert_eq!(turns as u32, weight / divisor);
            }
        }
    }
}
