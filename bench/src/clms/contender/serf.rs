//! Serf: memberlist's gossip with Lifeguard, as it comes for a LAN.

use std::time::Duration;

use anyhow::{Context, Result};
use serde::Deserialize;

use super::super::site::{Nodes, Site, until};
use super::{Contender, need};

/// How long an agent may take to listen.
const START: Duration = Duration::from_secs(20);

/// Serf.
#[derive(Debug)]
pub(crate) struct Serf;

#[derive(Deserialize)]
struct Said {
    members: Vec<Member>,
}

#[derive(Deserialize)]
struct Member {
    name: String,
    status: String,
}

impl Serf {
    pub(crate) fn new() -> Result<Self> {
        need("serf", "serf")?;
        Ok(Self)
    }
}

impl Contender for Serf {
    fn name(&self) -> String {
        "serf, lan".to_owned()
    }

    fn process(&self) -> &'static str {
        "serf"
    }

    fn start(&self, site: &Site, nodes: &Nodes) -> Result<()> {
        Site::start(nodes, |node| {
            format!(
                "serf agent -node=node{node} -bind={}:7946 -profile=lan",
                Site::address(node)
            )
        })?;
        // To anybody: those that were there before know the rest.
        let known = site.nodes();
        for &node in nodes {
            let other = known.iter().find(|other| **other != node);
            let other = other.context("a cluster has two nodes")?;
            let join = format!("serf join {} >/dev/null 2>&1", Site::address(*other));
            until("a serf agent joins", START, self.pause(), || {
                Ok(Site::sh(node, &join).is_ok())
            })?;
        }
        Ok(())
    }

    fn members(&self, _site: &Site, node: u8) -> Result<Option<Nodes>> {
        let said = Site::sh(node, "serf members -format=json 2>/dev/null || true")?;
        let Ok(said) = serde_json::from_str::<Said>(&said) else {
            return Ok(None);
        };
        let alive = said
            .members
            .iter()
            .filter(|member| member.status == "alive");
        let number = |member: &Member| Ok(member.name.trim_start_matches("node").parse()?);
        alive.map(number).collect::<Result<Nodes>>().map(Some)
    }

    fn pause(&self) -> Duration {
        Duration::from_millis(10)
    }
}
