//! Everything about one node: `ssi cluster -V`, `ssi clusternode_info`.

use std::fmt::Write;

use ssi_api::cluster::{ClusterView, MemberView};

use super::table::{addresses, roles};
use crate::output::{self, Format};
use crate::units::{Clock, bytes, duration};

/// A node and what it owns.
pub(crate) struct Detail<'a> {
    view: &'a ClusterView,
    node: &'a MemberView,
}

/// Everything about `node`, which is one of `view`.
pub(crate) const fn detail<'a>(view: &'a ClusterView, node: &'a MemberView) -> Detail<'a> {
    Detail { view, node }
}

impl Detail<'_> {
    /// As it is printed.
    pub(crate) fn print(&self, format: Format) -> String {
        match format {
            Format::Json => output::json(&[("node", self.node), ("owns", &self.owns())]),
            Format::Table | Format::Wide => self.text(&Clock::system()),
        }
    }

    fn owns(&self) -> Vec<&str> {
        self.view
            .resources
            .iter()
            .filter(|resource| resource.owner == Some(self.node.number))
            .map(|resource| resource.name.as_str())
            .collect()
    }

    /// One `key: value` a line; a key without a value has no line.
    fn text(&self, clock: &Clock) -> String {
        let node = self.node;
        let mut text = String::new();
        let mut line = |key: &str, value: &str| {
            if !value.is_empty() {
                let _ = writeln!(text, "{key}: {}", output::plain(value));
            }
        };
        line("Node", &node.number.to_string());
        line("Name", &node.name);
        line("State", &node.state.to_string());
        if let Some(since) = node.since {
            let (date, since) = (clock.date(since), clock.since(since));
            line("Since", &format!("{date} ({since})"));
        }
        line("Epoch", &node.epoch.to_string());
        line("Why", node.why.as_deref().unwrap_or_default());
        line("Incarnation", &node.incarnation.to_string());
        line("Addresses", &addresses(node));
        line("Roles", roles(self.view, node).trim_matches('-'));
        let potential = if node.potential_master { "yes" } else { "no" };
        line("Potential master", potential);
        line("Kernel", &node.kernel);
        line("CPUs", &node.cpus.to_string());
        line("Memory", &bytes(node.memory));
        line("ssid", &node.version);
        line("Fingerprint", &node.fingerprint);
        if let Some(seconds) = node.stalled {
            line("Stalled", &format!("for {}", duration(seconds)));
        }
        line("Owns", &self.owns().join(", "));
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::testing::{NOW, view};

    #[test]
    fn a_key_and_a_value_a_line() {
        let view = view();
        let clock = Clock::utc(NOW);
        assert_eq!(
            detail(&view, &view.nodes[1]).text(&clock),
            format!(
                "Node: 2
Name: blue2
State: UP
Since: 2001-09-09 02:46:40 (1 h 0 min)
Epoch: 2
Incarnation: 1
Addresses: 10.77.0.2 fd77::2
Roles: voter, this node
Potential master: yes
Kernel: 6.18.44
CPUs: 2
Memory: 4.0 GiB
ssid: 0.1.0
Fingerprint: {}
Owns: cvip 10.88.0.100
",
                "02".repeat(32)
            )
        );
        let gone = detail(&view, &view.nodes[3]).text(&clock);
        assert!(gone.contains("Why: 3 of 3 observers got no answer\n"));
        assert!(!gone.contains("Roles") && !gone.contains("Owns"), "{gone}");
        let json = detail(&view, &view.nodes[1]).print(Format::Json);
        let json: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!(json["node"]["state"], "UP");
        assert_eq!(json["owns"][0], "cvip 10.88.0.100");
    }
}
