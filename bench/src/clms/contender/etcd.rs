//! etcd 3, by its JSON gateway.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, Result};
use serde::Deserialize;

use super::super::site::{Nodes, Site};
use super::{http, need};

/// How long one answer may take.
const ANSWER: Duration = Duration::from_secs(30);

/// etcd, with its own timing, or another.
#[derive(Debug)]
pub(crate) struct Etcd {
    /// Heartbeat interval and election timeout, milliseconds.
    timing: Option<(u16, u16)>,
}

#[derive(Deserialize)]
struct Status {
    header: Header,
    #[serde(default)]
    leader: String,
}

#[derive(Deserialize)]
struct Header {
    member_id: String,
}

impl Etcd {
    pub(crate) fn new(timing: Option<(u16, u16)>) -> Result<Self> {
        need("etcd", "etcd-server")?;
        Ok(Self { timing })
    }

    pub(crate) fn name(&self) -> String {
        match self.timing {
            None => "etcd".to_owned(),
            Some((heartbeat, election)) => {
                format!("etcd, heartbeat {heartbeat}, election {election} ms")
            }
        }
    }

    /// Starts members on `nodes`, of a cluster that is to be of `all`.
    pub(crate) fn start(&self, nodes: &Nodes, all: &Nodes) -> Result<()> {
        let all: Vec<String> = all
            .iter()
            .map(|node| format!("node{node}=http://{}:2380", Site::address(*node)))
            .collect();
        let all = all.join(",");
        let timing = self.timing.map_or(String::new(), |(heartbeat, election)| {
            format!("--heartbeat-interval={heartbeat} --election-timeout={election}")
        });
        Site::start(nodes, |node| {
            let address = Site::address(node);
            format!(
                "etcd --name=node{node} --data-dir=/var/lib/bench-etcd --initial-cluster={all} \
                 --listen-peer-urls=http://{address}:2380 --initial-advertise-peer-urls=http://{address}:2380 \
                 --listen-client-urls=http://{address}:2379 --advertise-client-urls=http://{address}:2379 {timing}"
            )
        })
    }

    /// The node that leads, once all say the same.
    pub(crate) fn master(site: &Site) -> Result<Option<u8>> {
        let mut leads = None;
        for node in site.nodes() {
            let asked = site.on(node, || post(node, "/v3/maintenance/status", "{}", ANSWER));
            let Ok(said) = asked else {
                return Ok(None);
            };
            let status: Status = serde_json::from_str(&said).context("etcd's status")?;
            if status.leader == status.header.member_id {
                leads = Some(node);
            }
        }
        Ok(leads)
    }

    /// Writes one key, from a thread that is on the node's network.
    pub(crate) fn write(node: u8, patience: Duration) -> Result<()> {
        // Base64 of "key" and "value".
        let body = r#"{"key":"a2V5","value":"dmFsdWU="}"#;
        post(node, "/v3/kv/put", body, patience).map(drop)
    }
}

fn post(node: u8, path: &str, body: &str, patience: Duration) -> Result<String> {
    http::post(
        SocketAddr::new(Site::address(node), 2379),
        path,
        body,
        patience,
    )
}
