//! Lists of processes and users on command lines, and who is in them.

use ssi_api::process::{NoPid, Pid};

/// The words of a list: commas or spaces between them.
pub(crate) fn list(value: &str) -> impl Iterator<Item = &str> {
    value.split([',', ' ']).filter(|word| !word.is_empty())
}

/// A list of processes.
pub(crate) fn pids(value: &str) -> Result<Vec<Pid>, String> {
    list(value)
        .map(|word| word.parse().map_err(|why: NoPid| why.to_string()))
        .collect()
}

/// Whether process `pid` of `node` is among `wanted`, of which a plain pid is one of `here`.
/// Number 0 is here, too: a machine in no cluster.
pub(crate) fn is(wanted: &[Pid], here: u16, node: u16, pid: u32) -> bool {
    wanted
        .iter()
        .any(|wanted| wanted.pid() == pid && wanted.node().unwrap_or(here) == node)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_pid_is_of_this_node() {
        let wanted = pids("7,2/8 8388617").expect("processes");
        for (node, pid, there) in [(1, 7, true), (2, 7, false), (2, 8, true), (1, 8, false)] {
            assert_eq!(is(&wanted, 1, node, pid), there, "{node}/{pid}");
        }
        assert!(is(&wanted, 1, 2, 9));
        assert!(pids("7,x").is_err());
    }
}
