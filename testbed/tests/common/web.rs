//! nginx on every node.

use std::fmt::Write;

use super::cluster::Cluster;

/// The configuration that `ssi-testbed show` uses too.
const CONFIG: &str = include_str!("../../web/nginx.conf");

/// Starts it where it does not run yet.
pub fn start(cluster: &Cluster) {
    cluster.everywhere(|node| {
        node.feed(
            &[
                "sh",
                "-ec",
                "mkdir -p /run/web; cat >/run/web/nginx.conf
                install -d -o www-data /run/web/files
                pkill -0 -x nginx || exec nginx -c /run/web/nginx.conf",
            ],
            CONFIG.as_bytes(),
        );
    });
}

/// Puts the same `size` bytes as `/files/NAME` on every node; their SHA-256.
pub fn publish(cluster: &Cluster, name: &str, size: usize) -> String {
    let mut sums = Vec::new();
    cluster.everywhere(|node| {
        // Every node makes the same stream, so nothing has to be copied about.
        sums.push(node.sh(&format!(
            "openssl enc -aes-128-ctr -nosalt -K 0 -iv 0 </dev/zero 2>/dev/null \
                | head -c {size} >/run/web/files/{name}
             sha256sum </run/web/files/{name} | cut -d' ' -f1"
        )));
    });
    assert!(
        sums.windows(2).all(|pair| pair[0] == pair[1]),
        "{}",
        sums.iter().fold(
            String::from("the nodes made different files: "),
            |mut all, sum| {
                let _ = write!(all, "{sum} ");
                all
            }
        )
    );
    sums.swap_remove(0).trim_end().to_owned()
}
