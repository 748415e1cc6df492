//! Looks at processes of any node.

use ssi_api::control::{Failure, FailureKind};
use ssi_api::process::{ClusterPids, Look, Looked, Missing, NodePids, Reader, Swept};

use super::super::{Cluster, Member};
use super::service::{asked, name, op};
use crate::control::Asker;
use crate::processes::{Glance, Processes, Sweep};

/// Why a node of no cluster is not there.
const ALONE: &str = "is of no cluster of this machine";

/// With whose rights a look is: those of whoever asks, or of whom root names.
fn with_rights(reader: Option<Reader>, by: Asker) -> Result<Reader, Failure> {
    let own = Reader {
        uid: by.user,
        gid: by.group,
    };
    let reader = reader.unwrap_or(own);
    if reader != own && by.user != 0 {
        let refused = "only root may look with the rights of another user";
        return Err(Failure::new(FailureKind::Refused, refused));
    }
    Ok(reader)
}

impl Cluster {
    /// Looks at something of a process, with the rights of whoever asks, or of whom root names.
    pub(super) async fn look(
        &self,
        node: Option<u16>,
        pid: u32,
        what: Look,
        reader: Option<Reader>,
        by: Asker,
    ) -> Result<Looked, Failure> {
        let reader = with_rights(reader, by)?;
        let glance = Glance { pid, what, reader };
        let member = self.member();
        let here = member.as_ref().map(|member| member.kept().number);
        match (node, member) {
            (Some(node), Some(member)) if Some(node) != here => {
                let said = member.ask_up(node, op::LOOK, &glance).await;
                Ok(said.unwrap_or_else(Looked::NoNode))
            }
            (Some(_), None) => Ok(Looked::NoNode(ALONE.to_owned())),
            _ => self.processes.look(glance).await,
        }
    }

    /// Looks at what everybody may see of a node's processes, likewise.
    pub(super) async fn sweep(
        &self,
        node: Option<u16>,
        after: u32,
        reader: Option<Reader>,
        by: Asker,
    ) -> Result<Swept, Failure> {
        let reader = with_rights(reader, by)?;
        let sweep = Sweep { after, reader };
        let member = self.member();
        let here = member.as_ref().map(|member| member.kept().number);
        match (node, member) {
            (Some(node), Some(member)) if Some(node) != here => {
                let said = member.ask_up(node, op::SWEEP, &sweep).await;
                Ok(said.unwrap_or_else(Swept::NoNode))
            }
            (Some(_), None) => Ok(Swept::NoNode(ALONE.to_owned())),
            _ => self.processes.sweep(sweep).await,
        }
    }

    /// The pids of nodes, or of this machine if it is in no cluster.
    pub(super) async fn pids(&self, nodes: Option<Vec<u16>>) -> Result<ClusterPids, Failure> {
        if let Some(member) = self.member() {
            return Ok(member.pids(&self.processes, nodes).await);
        }
        if nodes.is_some() {
            self.in_cluster()?;
        }
        let alone = NodePids {
            pids: self.processes.pids().await?,
            ..NodePids::default()
        };
        Ok(ClusterPids {
            nodes: vec![alone],
            ..ClusterPids::default()
        })
    }
}

impl Member {
    /// The pids of several nodes, or of all that are UP, asked at the same time.
    async fn pids(&self, processes: &Processes, nodes: Option<Vec<u16>>) -> ClusterPids {
        let view = self.handle.views().borrow().clone();
        let here = self.kept().number;
        let answers = asked(&view, here, nodes).into_iter();
        let answers = answers.map(|number| async move {
            let said = if number == here {
                processes.pids().await.map_err(|why| why.to_string())
            } else {
                self.ask_up(number, op::PIDS, &()).await
            };
            (number, said)
        });
        let mut all = ClusterPids {
            here,
            ..ClusterPids::default()
        };
        for (number, said) in futures::future::join_all(answers).await {
            let name = name(&view, number);
            match said {
                Ok(pids) => all.nodes.push(NodePids { number, name, pids }),
                Err(why) => all.missing.push(Missing { number, name, why }),
            }
        }
        all
    }
}
