//! sh: buckets dealt out to the servers in turn, by weight (`ip_vs_sh.c`).

use super::Member;

/// IPVS has 256 by default; more make the shares fairer.
pub const BUCKETS: usize = 4_096;

/// The server of each bucket.
#[must_use]
pub fn buckets(members: &[Member]) -> Vec<u16> {
    let dealt = members
        .iter()
        .flat_map(|m| std::iter::repeat_n(m.index, m.weight as usize));
    dealt.cycle().take(BUCKETS).collect()
}

#[cfg(test)]
mod tests {
    use ssi_api::lvs::ServerName;

    use super::*;

    #[test]
    fn buckets_follow_the_weights() {
        let name = ServerName {
            addr: [10, 0, 0, 1].into(),
            port: 80,
        };
        let member = |index, weight| Member {
            index,
            weight,
            name,
        };
        let table = buckets(&[member(1, 1), member(2, 3)]);
        assert_eq!(table.len(), BUCKETS);
        assert_eq!(table[..5], [1, 2, 2, 2, 1]);
        assert_eq!(table.iter().filter(|i| **i == 1).count(), BUCKETS / 4);
    }
}
