//! `ssid`.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use ssi_api::cluster::{ClusterRequest, ClusterView, NodeState};
use ssi_api::control::{Client, Reply, Request};
use ssi_testbed::form;
use ssi_testbed::plan::Machine;

use super::super::site::{Nodes, Site, log, until};
use super::Contender;

/// How long one answer may take.
const ANSWER: Duration = Duration::from_secs(30);
/// How long a node may take to record what it shows.
const RECORD: Duration = Duration::from_secs(10);
/// Fewest voters with which any node can go, where there are as many nodes.
const VOTERS: usize = 3;
/// How long `ssid` may take to listen.
const START: Duration = Duration::from_secs(30);

/// Ours.
#[derive(Debug)]
pub(crate) struct Ssi;

impl Ssi {
    /// Asks a node's `ssid`.
    pub(crate) fn ask(site: &Site, node: u8, request: Request) -> Result<Reply> {
        let mut client = Client::connect(&site.socket(node)?, ANSWER)?;
        Ok(client.request(request)?)
    }

    /// The view that a node goes by; none if its `ssid` doesn't answer, or it has none.
    pub(crate) fn view(site: &Site, node: u8) -> Option<ClusterView> {
        match Self::ask(site, node, Request::Cluster(ClusterRequest::Show)) {
            Ok(Reply::Cluster(view)) => Some(*view),
            _ => None,
        }
    }

    /// Starts `ssid` and waits until all of them listen, in no cluster.
    pub(crate) fn listen(&self, site: &Site, nodes: &Nodes) -> Result<()> {
        self.start(site, nodes)?;
        for &node in nodes {
            let socket = site.socket(node)?;
            until("ssid", START, self.pause(), || {
                Ok(Client::connect(&socket, ANSWER)
                    .is_ok_and(|mut client| client.request(Request::Status).is_ok()))
            })
            .with_context(|| format!("ssid does not listen on node {node}\n{}", log(node)))?;
        }
        Ok(())
    }
}

impl Contender for Ssi {
    fn name(&self) -> String {
        "ssi".to_owned()
    }

    fn process(&self) -> &'static str {
        "ssid"
    }

    fn start(&self, _site: &Site, nodes: &Nodes) -> Result<()> {
        Site::start(nodes, |_| "ssid".to_owned())
    }

    fn found(&self, site: &Site, nodes: &Nodes) -> Result<()> {
        self.listen(site, nodes)?;
        let first = nodes.first().context("a cluster has nodes")?;
        form::form(site.state(), Machine::Node(*first))
    }

    /// The founder votes alone until others do too, which they begin to once they are UP.
    fn ready(&self, site: &Site, nodes: &Nodes) -> Result<()> {
        for &node in nodes {
            until("voters", START, self.pause(), || {
                let view = Self::view(site, node);
                Ok(view.is_some_and(|view| {
                    let members = |voter: &u16| nodes.iter().any(|node| u16::from(*node) == *voter);
                    view.voters.len() >= VOTERS.min(nodes.len()) && view.voters.iter().all(members)
                }))
            })?;
        }
        Ok(())
    }

    fn members(&self, site: &Site, node: u8) -> Result<Option<Nodes>> {
        let Some(view) = Self::view(site, node) else {
            return Ok(None);
        };
        if view.fenced || view.incarnation.is_none() {
            return Ok(None);
        }
        // Until it is out, who leaves is one of them; who comes is one when all have it.
        let among = [NodeState::Up, NodeState::Shutdown, NodeState::GoingDown];
        let members = view.nodes.iter().filter(|node| among.contains(&node.state));
        members
            .map(|member| Ok(u8::try_from(member.number)?))
            .collect::<Result<Nodes>>()
            .map(Some)
    }

    fn pause(&self) -> Duration {
        Duration::from_millis(4)
    }

    fn leave(&self, site: &Site, node: u8) -> Result<Instant> {
        let socket = site.socket(node)?;
        let mut client = Client::connect(&socket, ANSWER)?;
        let at = Instant::now();
        // It answers when it is out; who waits for that is the others.
        std::thread::spawn(move || client.request(Request::Cluster(ClusterRequest::Leave)));
        Ok(at)
    }

    fn rejoin(&self, site: &Site, node: u8) -> Result<()> {
        let request = || Self::ask(site, node, Request::Cluster(ClusterRequest::Rejoin));
        // Its own leaving may not be over yet.
        until(
            "a node comes back",
            START,
            Duration::from_millis(50),
            || Ok(request().is_ok()),
        )
        .with_context(|| format!("{:?}\n{}", request(), log(node)))
    }

    fn master(&self, site: &Site) -> Option<u8> {
        site.nodes().into_iter().find(|node| {
            let view = Self::view(site, *node);
            view.is_some_and(|view| view.master == Some(view.node) && !view.fenced)
        })
    }

    fn check(&self, site: &Site, nodes: &Nodes, gone: u8) -> Result<()> {
        // A node records a change when all its subsystems have taken it in.
        let mut seen = BTreeMap::new();
        let mut same = || {
            for &node in nodes {
                seen.insert(node, went(site, node, gone)?);
            }
            let mut all = seen.values();
            let first = all.next().copied().flatten();
            Ok(first.is_some() && all.all(|epoch| *epoch == first))
        };
        until("one epoch", RECORD, self.pause(), &mut same)
            .with_context(|| format!("node {gone} went at different epochs: {seen:?}"))
    }
}

/// The epoch at which a node last saw another go, by what it has recorded.
fn went(site: &Site, node: u8, gone: u8) -> Result<Option<u64>> {
    let history = Request::Cluster(ClusterRequest::History);
    let Reply::History(events) = Ssi::ask(site, node, history)? else {
        bail!("node {node} has no history");
    };
    let mut events = events.iter().rev();
    let last =
        events.find(|event| event.node == u16::from(gone) && event.to == NodeState::KCleanup);
    Ok(last.map(|event| event.epoch))
}
