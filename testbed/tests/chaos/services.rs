//! What is kept alive: two hundred processes, placed in every way there is.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::beat::{RESTLESS, ROLE, STEADY};

/// Nodes of the cluster.
pub(crate) const NODES: u8 = 5;

/// Everything that is to run.
pub(crate) struct Services {
    /// As a file has it.
    pub(crate) text: String,
    /// On which nodes each instance may run while all nodes are UP.
    pub(crate) places: BTreeMap<String, BTreeSet<u8>>,
    /// Instances that never leave their node, and so keep count of all their errors.
    pub(crate) bound: BTreeSet<String>,
    begin: [String; 2],
}

impl Services {
    /// All of them.
    pub(crate) fn new(program: &Path, runs: &Path) -> Self {
        let (program, runs) = (program.display(), runs.display());
        let begin = [STEADY, RESTLESS].map(|kind| {
            format!(
                "path = \"{program}\"\nargs = [\"{ROLE}\", \"{runs}\", \"{kind}\"]\n\
                 error_limit = 100000\n\
                 backoff = {{ first = \"100ms\", factor = 2, longest = \"500ms\", reset = \"1s\" }}\n"
            )
        });
        let mut all = Self {
            text: String::new(),
            places: BTreeMap::new(),
            bound: BTreeSet::new(),
            begin,
        };
        (0..60).for_each(|n| all.floating(n));
        (0..50).for_each(|n| all.pinned(n));
        (0..30).for_each(|n| all.bound(n));
        (0..7).for_each(|n| all.each(n));
        (0..10).for_each(|n| all.group(n));
        all
    }

    fn process(&mut self, name: &str, restless: bool, more: &str) {
        let begin = &self.begin[usize::from(restless)];
        self.text += &format!("[[process]]\nname = \"{name}\"\n{begin}{more}\n");
    }

    fn place(&mut self, instance: String, nodes: impl IntoIterator<Item = u8>) {
        self.places.insert(instance, nodes.into_iter().collect());
    }

    fn floating(&mut self, n: u8) {
        let name = format!("floating{n}");
        let restart = ["least_loaded", "round_robin", "last_node"][usize::from(n % 3)];
        self.process(
            &name,
            n.is_multiple_of(6),
            &format!("restart_on = \"{restart}\""),
        );
        self.place(format!("{name}:0"), 1..=NODES);
    }

    fn pinned(&mut self, n: u8) {
        let (name, favoured) = (format!("pinned{n}"), n % NODES + 1);
        let others = [favoured % NODES + 1, (favoured + 1) % NODES + 1];
        let (backup, nodes) = match n % 3 {
            0 => ("\"any\"".to_owned(), (1..=NODES).collect()),
            1 => (format!("{others:?}"), vec![favoured, others[0], others[1]]),
            _ => ("\"any\"\nfailback = true".to_owned(), vec![favoured]),
        };
        let more = format!("favoured = {favoured}\nbackup = {backup}");
        self.process(&name, n.is_multiple_of(8), &more);
        self.place(format!("{name}:0"), nodes);
    }

    fn bound(&mut self, n: u8) {
        let (name, node) = (format!("bound{n}"), n % NODES + 1);
        self.process(&name, n < 10, &format!("favoured = {node}"));
        self.place(format!("{name}:0"), [node]);
        self.bound.insert(format!("{name}:0"));
    }

    fn each(&mut self, n: u8) {
        let name = format!("each{n}");
        self.process(&name, n == 0, "favoured = \"all\"");
        for node in 1..=NODES {
            self.place(format!("{name}:{}", node - 1), [node]);
        }
    }

    /// Of three members, one waits for another, whose end ends all.
    fn group(&mut self, n: u8) {
        let name = format!("group{n}");
        let [first, second, third] = ["a", "b", "c"].map(|member| format!("{name}{member}"));
        self.process(&first, false, "");
        self.process(&second, false, &format!("after = [\"{first}\"]"));
        self.process(&third, n == 0, "");
        let (more, nodes) = if n.is_multiple_of(2) {
            (String::new(), (1..=NODES).collect())
        } else {
            let favoured = n % NODES + 1;
            (
                format!("favoured = {favoured}\nbackup = \"any\"\nfailback = true\n"),
                vec![favoured],
            )
        };
        self.text += &format!(
            "[[group]]\nname = \"{name}\"\nmembers = [\"{first}\", \"{second}\", \"{third}\"]\n\
             critical = [\"{first}\"]\n{more}\n"
        );
        for member in [first, second, third] {
            self.place(format!("{member}:0"), nodes.clone());
        }
    }
}
