//! How long tasks wait for processors.

use ssi_api::control::Failure;
use ssi_api::process::{ClusterWaits, WaitsView};

use super::super::{Cluster, Member};
use super::service::{asked, op};
use crate::processes::Processes;

impl Cluster {
    /// What nodes have measured, or this machine if it is in no cluster.
    pub(super) async fn waits(&self, nodes: Option<Vec<u16>>) -> Result<ClusterWaits, Failure> {
        if let Some(member) = self.member() {
            return Ok(member.waits(&self.processes, nodes).await);
        }
        if nodes.is_some() {
            self.in_cluster()?;
        }
        let alone = self.processes.waits()?;
        Ok(ClusterWaits {
            nodes: alone.map(|waits| (0, waits)).into_iter().collect(),
        })
    }
}

impl Member {
    /// What several nodes have measured, or all that are UP, asked at the same time. Who doesn't
    /// say is left out: whoever asks for loads too knows why.
    async fn waits(&self, processes: &Processes, nodes: Option<Vec<u16>>) -> ClusterWaits {
        let view = self.handle.views().borrow().clone();
        let own = self.kept().number;
        let answers = asked(&view, own, nodes)
            .into_iter()
            .map(|number| async move {
                let said: Option<WaitsView> = if number == own {
                    processes.waits().ok()?
                } else {
                    self.ask_up(number, op::WAITS, &()).await.ok()?
                };
                Some((number, said?))
            });
        let answers = futures::future::join_all(answers).await;
        ClusterWaits {
            nodes: answers.into_iter().flatten().collect(),
        }
    }
}
