//! Links to whoever looks.

use ssi_api::process::Cpid;

use super::entry::Entry;
use super::names::process_of;

/// What the link to a process is called.
pub(super) const NAME: &str = "self";
/// What the link to a thread is called.
const THREAD: &str = "thread-self";

/// The link of this name that a root has for a thread of this node, if it has one.
pub(super) fn link(root: Entry, name: &str, thread: u32) -> Option<Entry> {
    let process = || process_of(thread);
    match (root, name) {
        (Entry::Root, NAME) => Some(Entry::Own(process()?)),
        (Entry::Shell, NAME) => Some(Entry::OwnPlain(process()?)),
        (Entry::Shell, THREAD) => Some(Entry::OwnThread(process()?, thread)),
        _ => None,
    }
}

/// Where such a link leads, on node `here`.
pub(super) fn target(link: Entry, here: u16) -> Option<String> {
    match link {
        Entry::Own(pid) => Some(Cpid::new(here, pid)?.number().to_string()),
        Entry::OwnPlain(pid) => Some(pid.to_string()),
        Entry::OwnThread(pid, thread) => Some(format!("{pid}/task/{thread}")),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_looks_finds_itself() {
        let pid = std::process::id();
        let own = link(Entry::Shell, NAME, pid).expect("it is there");
        assert_eq!(target(own, 0), Some(pid.to_string()));
        let thread = link(Entry::Shell, THREAD, pid).expect("it is there");
        assert_eq!(target(thread, 0), Some(format!("{pid}/task/{pid}")));
        let own = link(Entry::Root, NAME, pid).expect("it is there");
        assert_eq!(target(own, 2), Some((2 << 22 | pid).to_string()));
        assert_eq!(target(own, 0), None, "it is in no cluster");
        assert_eq!(link(Entry::Root, THREAD, pid), None);
        assert_eq!(link(Entry::Shell, NAME, 0), None);
    }
}
