//! Who is saying hello just now: few at a time from any one address, so that nobody who can
//! use one node's address keeps the other nodes waiting.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};

use crate::runner::remote::lock;

/// Connections from one address that say hello at once: all lanes a few times over.
const EACH: usize = 32;

/// How many there are, by their address.
#[derive(Clone, Debug, Default)]
pub(super) struct Greeting(Arc<Mutex<BTreeMap<IpAddr, usize>>>);

impl Greeting {
    /// Counts one more in, until what is returned is dropped; none: there are enough.
    pub(super) fn enter(&self, address: IpAddr) -> Option<Entered> {
        let mut counts = lock(&self.0);
        let count = counts.entry(address).or_default();
        if *count >= EACH {
            return None;
        }
        *count += 1;
        Some(Entered(self.clone(), address))
    }
}

/// One that is saying hello.
#[derive(Debug)]
pub(super) struct Entered(Greeting, IpAddr);

impl Drop for Entered {
    fn drop(&mut self) {
        let mut counts = lock(&self.0.0);
        if let Some(count) = counts.get_mut(&self.1) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.1);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_address_has_its_own_bound() {
        let greeting = Greeting::default();
        let [one, other] = [[10, 0, 0, 1], [10, 0, 0, 2]].map(IpAddr::from);
        let mut entered: Vec<_> = (0..EACH).filter_map(|_| greeting.enter(one)).collect();
        assert_eq!(entered.len(), EACH);
        assert!(greeting.enter(one).is_none());
        assert!(greeting.enter(other).is_some());
        entered.pop();
        assert!(greeting.enter(one).is_some());
        drop(entered);
        assert!(lock(&greeting.0).is_empty());
    }
}
