//! What there is besides the table: `-v`.

use ssi_api::cluster::{ClusterView, Event};

use super::table::{addresses, roles, since};
use crate::node;
use crate::output;
use crate::units::{Clock, bytes};

/// How many of the last transitions are shown.
const SHOWN: usize = 20;

/// Digits of a fingerprint that tell the nodes of a cluster apart; `-V` has them all.
const FINGERPRINT: usize = 16;

/// A row for each node, with all that a row can hold.
pub(crate) fn nodes(view: &ClusterView, clock: &Clock) -> String {
    let rows = view.nodes.iter().map(|node| {
        [
            node.number.to_string(),
            node.name.clone(),
            node.state.to_string(),
            since(node, clock),
            node.epoch.to_string(),
            addresses(node),
            roles(view, node),
            node.kernel.clone(),
            node.cpus.to_string(),
            bytes(node.memory),
            node.version.clone(),
            node.incarnation.to_string(),
            node.fingerprint.chars().take(FINGERPRINT).collect(),
            node.why.clone().unwrap_or_default(),
        ]
    });
    output::table(
        [
            "NODE",
            "NAME",
            "STATE",
            "SINCE",
            "EPOCH",
            "ADDRESS",
            "ROLES",
            "KERNEL",
            "CPUS",
            "MEMORY",
            "SSID",
            "LIFE",
            "FINGERPRINT",
            "WHY",
        ],
        rows.collect(),
    )
}

/// Who owns what, after an empty line.
pub(crate) fn resources(view: &ClusterView) -> String {
    let rows = view.resources.iter().map(|resource| {
        [
            resource.name.clone(),
            resource
                .owner
                .map_or_else(|| "nobody".to_owned(), |owner| node::called(view, owner)),
            resource.epoch.to_string(),
        ]
    });
    section(["RESOURCE", "OWNER", "SINCE EPOCH"], rows.collect())
}

/// The last transitions, the newest last, after an empty line.
pub(crate) fn transitions(view: &ClusterView, events: &[Event], clock: &Clock) -> String {
    let rows = events
        .iter()
        .skip(events.len().saturating_sub(SHOWN))
        .map(|event| {
            [
                clock.date(event.at),
                event.epoch.to_string(),
                node::called(view, event.node),
                event.incarnation.to_string(),
                event.from.to_string(),
                event.to.to_string(),
                event.why.clone().unwrap_or_default(),
            ]
        });
    section(
        ["WHEN", "EPOCH", "NODE", "LIFE", "FROM", "TO", "WHY"],
        rows.collect(),
    )
}

fn section<const N: usize>(header: [&str; N], rows: Vec<[String; N]>) -> String {
    if rows.is_empty() {
        return String::new();
    }
    format!("\n{}", output::table(header, rows))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::testing::{NOW, history, view};

    #[test]
    fn everything() {
        let (view, clock) = (view(), Clock::utc(NOW));
        assert_eq!(
            nodes(&view, &clock),
            " NODE  NAME   STATE  SINCE      EPOCH  ADDRESS            ROLES             KERNEL   CPUS  MEMORY   SSID   LIFE  FINGERPRINT       WHY
 1     blue1  UP     2 h 0 min  1      10.77.0.1 fd77::1  master, voter     6.18.44  2     4.0 GiB  0.1.0  1     0101010101010101
 2     blue2  UP     1 h 0 min  2      10.77.0.2 fd77::2  voter, this node  6.18.44  2     4.0 GiB  0.1.0  1     0202020202020202
 3     blue3  UP     -          3      10.77.0.3 fd77::3  -                 6.18.44  2     4.0 GiB  0.1.0  1     0303030303030303
 4     blue4  DOWN   40 s       12     10.77.0.4 fd77::4  -                 6.18.44  2     4.0 GiB  0.1.0  2     0404040404040404  3 of 3 observers got no answer
"
        );
        assert_eq!(
            resources(&view),
            "
 RESOURCE          OWNER    SINCE EPOCH
 cvip 10.88.0.100  2 blue2  12
 cvip 10.88.0.101  nobody   11
"
        );
        assert_eq!(
            transitions(&view, &history(), &clock),
            "
 WHEN                 EPOCH  NODE     LIFE  FROM      TO        WHY
 2001-09-09 03:45:59  10     4 blue4  2     UP        KCLEANUP  3 of 3 observers got no answer
 2001-09-09 03:46:00  11     4 blue4  2     KCLEANUP  UCLEANUP  3 of 3 observers got no answer
 2001-09-09 03:46:00  12     4 blue4  2     UCLEANUP  DOWN      3 of 3 observers got no answer
"
        );
        let many: Vec<_> = history().into_iter().cycle().take(100).collect();
        assert_eq!(transitions(&view, &many, &clock).lines().count(), SHOWN + 2);
        assert_eq!(transitions(&view, &[], &clock), "");
    }
}
