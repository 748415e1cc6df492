//! A node that leaves.

use super::common::Cluster;
use super::common::cluster::Family::V4;
use super::common::view;
use super::stage::{instances, only, served_by, until};

pub(crate) fn leaves(cluster: &Cluster) {
    let address = cluster.cvip(V4);
    let sleeper = |name: &str, more: &str| {
        format!(
            "[[process]]\nname = \"{name}\"\npath = \"/bin/sleep\"\nargs = [\"1000000\"]\n{more}\n"
        )
    };
    let web =
        format!("favoured = 2\nbackup = \"any\"\nfailback = true\nbalance = \"tcp://{address}:7\"");
    let text = sleeper("web", &web)
        + &sleeper("bound", "favoured = 2")
        + &sleeper("both", "favoured = 2\nbackup = [3]\noverlap = true");
    only(cluster, &text);
    let on = |host: u8, name: &str| instances(cluster.host(host), name);
    let runs = |host: u8, name: &str, node: u64| on(host, name) == [("ok".to_owned(), node)];
    for name in ["web", "bound", "both"] {
        until(name, || runs(1, name, 2));
    }
    served_by(cluster, &[1, 2, 3], 7, &[(2, 1)]);
    let left = cluster.host(2).output(&["ssi", "leave", "--yes"]);
    let said = String::from_utf8_lossy(&left.stderr).into_owned();
    assert!(left.status.success(), "{said}");
    for line in [
        "web runs on node ",
        "both runs on node 3",
        "bound has ended: no other node may run it now",
    ] {
        assert!(said.contains(line), "{said}");
    }
    assert!(runs(1, "both", 3), "{:?}", on(1, "both"));
    let web = on(3, "web");
    assert!(
        web.iter().all(|(state, node)| state == "ok" && *node != 2),
        "{web:?}"
    );
    let nothing = cluster.host(2).sh("pgrep -x sleep || true");
    assert_eq!(nothing, "");
    // It is drained only as long as it is away.
    cluster.host(2).run(&["ssi", "rejoin"]);
    view::settled(&[1, 2, 3]);
    until("it may run things again", || {
        let said = cluster.host(1).run(&["ssi", "service", "list"]);
        !said.contains("drained")
    });
    until("what belongs there", || runs(1, "bound", 2));
    until("what goes back", || runs(3, "web", 2));
    served_by(cluster, &[1, 2, 3], 7, &[(2, 1)]);
    assert!(
        runs(1, "both", 3),
        "nothing moves that needn't: {:?}",
        on(1, "both")
    );
    only(cluster, "");
}
