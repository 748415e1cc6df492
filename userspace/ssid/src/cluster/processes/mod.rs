//! The processes of all nodes: what nodes ask each other about them, and signals that one
//! sends on behalf of another's user.

mod forwarded;
mod gather;
mod list;
mod loads;
mod look;
mod orders;
mod service;
mod waits;

use ssi_api::control::{Failure, FailureKind, Reply};
use ssi_api::process::{Behalf, ClusterForwarded, ClusterLoads, NodeBusy, ProcessRequest};

pub(super) use self::service::serve;
use super::Cluster;
use crate::control::Asker;
use crate::processes::{Order, Renice, SessionOrder, Wanted};

/// Whose signal or change it is: that of whoever asks, or of whom root names.
fn on_behalf(behalf: Option<Behalf>, by: Asker) -> Result<Behalf, Failure> {
    let own = Behalf {
        user: by.user,
        session: by.session,
    };
    if behalf.is_some() && by.user != 0 {
        let refused = "only root may act with the rights of another user";
        return Err(Failure::new(FailureKind::Refused, refused));
    }
    Ok(behalf.unwrap_or(own))
}

impl Cluster {
    /// Answers what is asked about processes, on behalf of whoever asks.
    pub(crate) async fn processes(
        &self,
        request: ProcessRequest,
        by: Asker,
    ) -> Result<Reply, Failure> {
        match request {
            ProcessRequest::List { args, nodes, after } => {
                let found = self.list(Wanted { after, args }, nodes).await?;
                Ok(Reply::ClusterProcesses(Box::new(found)))
            }
            ProcessRequest::Loads { nodes } => Ok(Reply::Loads(self.loads(nodes).await?)),
            ProcessRequest::Forwarded { nodes } => {
                Ok(Reply::Forwarded(self.forwarded(nodes).await?))
            }
            ProcessRequest::Waits { nodes } => Ok(Reply::Waits(self.waits(nodes).await?)),
            ProcessRequest::Pids { nodes } => Ok(Reply::Pids(self.pids(nodes).await?)),
            ProcessRequest::Look {
                node,
                pid,
                what,
                reader,
            } => {
                let looked = self.look(node, pid, what, reader, by).await?;
                Ok(Reply::Looked(looked))
            }
            ProcessRequest::Sweep {
                node,
                after,
                reader,
            } => Ok(Reply::Swept(self.sweep(node, after, reader, by).await?)),
            ProcessRequest::Signal {
                signal,
                targets,
                sessions,
                behalf,
            } => {
                let by = on_behalf(behalf, by)?;
                let order = Order {
                    user: by.user,
                    session: by.session,
                    signal,
                    targets: Vec::new(),
                };
                let sent = if sessions {
                    self.spread(SessionOrder(order), &targets).await?
                } else {
                    self.spread(order, &targets).await?
                };
                Ok(Reply::Signalled(sent))
            }
            ProcessRequest::Nice {
                nice,
                relative,
                targets,
                behalf,
            } => {
                let by = on_behalf(behalf, by)?;
                let order = Renice {
                    user: by.user,
                    nice,
                    relative,
                    targets: Vec::new(),
                };
                Ok(Reply::Niced(self.spread(order, &targets).await?))
            }
        }
    }

    /// What nodes forward, or this machine if it is in no cluster.
    async fn forwarded(&self, nodes: Option<Vec<u16>>) -> Result<ClusterForwarded, Failure> {
        let data_path = &self.world.data_path;
        if let Some(member) = self.member() {
            return Ok(member.forwarded(data_path, nodes).await);
        }
        if nodes.is_some() {
            self.in_cluster()?;
        }
        let alone = forwarded::here(data_path).await;
        let alone = alone.map_err(|why| Failure::new(FailureKind::Internal, format!("{why:#}")))?;
        Ok(ClusterForwarded {
            nodes: vec![(0, alone)],
        })
    }

    /// The loads of nodes, or of this machine if it is in no cluster.
    async fn loads(&self, nodes: Option<Vec<u16>>) -> Result<ClusterLoads, Failure> {
        if let Some(member) = self.member() {
            return Ok(member.loads(&self.processes, nodes).await);
        }
        if nodes.is_some() {
            self.in_cluster()?;
        }
        let alone = NodeBusy {
            number: 0,
            name: String::new(),
            busy: self.processes.busy()?,
        };
        Ok(ClusterLoads {
            nodes: vec![alone],
            ..ClusterLoads::default()
        })
    }
}
