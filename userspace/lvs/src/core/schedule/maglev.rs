//! mh: Maglev's consistent table (Eisenbud et al., NSDI 2016, §3.4), weighted by how many
//! turns a server takes in a round.

use super::Member;

/// The largest prime below 65,536, so that a table fits where a slot table would.
pub const SIZE: usize = 65_521;

/// The server of each entry. The same for the same set of servers and seed, in whatever
/// order they were added.
#[must_use]
pub fn table(members: &[Member], seed: u64) -> Vec<u16> {
    let mut members = members.to_vec();
    members.sort_by_key(|member| member.name);
    let mut preferences: Vec<Preference> = members
        .iter()
        .map(|member| Preference::new(member, seed))
        .collect();
    let heaviest = members.iter().map(|m| m.weight).max().unwrap_or(1);
    let mut table = vec![0; SIZE];
    let mut filled = 0;
    let mut credit = vec![0_u64; members.len()];
    loop {
        for (i, member) in members.iter().enumerate() {
            // A server takes its turn once its weight has added up to the heaviest's.
            credit[i] += u64::from(member.weight);
            if credit[i] < u64::from(heaviest) {
                continue;
            }
            credit[i] -= u64::from(heaviest);
            let at = preferences[i].next_free(&table);
            table[at] = member.index;
            filled += 1;
            if filled == SIZE {
                return table;
            }
        }
    }
}

/// A server's permutation of the entries: offset, then steps of skip.
struct Preference {
    at: usize,
    skip: usize,
}

impl Preference {
    fn new(member: &Member, seed: u64) -> Self {
        let hash = |salt: u64| {
            let addr = ssi_abi::Addr::from(member.name.addr);
            let port = u32::from(member.name.port);
            ssi_abi::hash::flow(seed ^ salt, &addr, &ssi_abi::Addr::NONE, port, 0) as usize
        };
        Self {
            at: hash(0) % SIZE,
            skip: hash(0x5eed) % (SIZE - 1) + 1,
        }
    }

    fn next_free(&mut self, table: &[u16]) -> usize {
        loop {
            let at = self.at;
            self.at = (self.at + self.skip) % SIZE;
            if table[at] == 0 {
                return at;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use ssi_api::lvs::ServerName;

    use super::*;

    fn member(index: u16, weight: u32) -> Member {
        let [high, low] = index.to_be_bytes();
        Member {
            index,
            weight,
            name: ServerName {
                addr: [10, 0, high, low].into(),
                port: 80,
            },
        }
    }

    #[test]
    fn shares_are_fair_and_order_does_not_matter() {
        let mut members: Vec<_> = (1..=10).map(|i| member(i, 1)).collect();
        let one = table(&members, 42);
        members.reverse();
        assert_eq!(one, table(&members, 42));
        for index in 1..=10 {
            let n = one.iter().filter(|i| **i == index).count();
            assert!((6_500..=6_604).contains(&n), "server {index} has {n}");
        }
    }

    #[test]
    fn weights_count() {
        let table = table(&[member(1, 1), member(2, 3)], 42);
        let n = table.iter().filter(|i| **i == 1).count();
        assert!((16_000..=16_760).contains(&n), "{n}");
    }
}
