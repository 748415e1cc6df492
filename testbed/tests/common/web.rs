//! nginx on every node.

use std::fmt::Write;
use std::net::SocketAddr;
use std::process::Child;

use super::cluster::Cluster;
use super::host::{Host, checked};

/// The configuration that `ssi-testbed show` uses too.
const CONFIG: &str = include_str!("../../web/nginx.conf");

/// Starts it where it does not run yet.
pub fn start(cluster: &Cluster) {
    cluster.everywhere(start_on);
}

/// Starts it on a node, if it does not run there yet.
pub fn start_on(node: Host) {
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
}

/// A download by the client.
pub struct Download {
    client: Child,
    sum: String,
}

impl Download {
    /// Begins to load `/files/NAME`, which [`publish`] put there with this sum, at 50 MB/s.
    pub fn start(from: SocketAddr, name: &str, sum: &str) -> Self {
        Self::at(from, name, sum, "50M")
    }

    /// Does so at 4 MB/s: much of it waits in the server's socket.
    pub fn slow(from: SocketAddr, name: &str, sum: &str) -> Self {
        Self::at(from, name, sum, "4M")
    }

    fn at(from: SocketAddr, name: &str, sum: &str, rate: &str) -> Self {
        let load = format!("curl -sS --fail --limit-rate {rate} http://{from}/files/{name}");
        let script = format!("{load} | sha256sum");
        let client = Host::Client.spawn(&["bash", "-o", "pipefail", "-c", &script]);
        Self {
            client,
            sum: sum.to_owned(),
        }
    }

    /// Waits until it is over, and checks that all of it came.
    #[track_caller]
    pub fn finish(self) {
        let output = self.client.wait_with_output().expect("wait");
        let said = checked(Host::Client, &["curl"], &output);
        let sum = said.split_whitespace().next();
        assert_eq!(sum, Some(self.sum.as_str()), "the download differs");
    }
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
