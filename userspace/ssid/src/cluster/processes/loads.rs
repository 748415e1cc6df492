//! How busy the nodes are.

use ssi_api::process::{ClusterLoads, Missing, NodeBusy};

use super::super::Member;
use super::service::{asked, name, op};
use crate::processes::Processes;

impl Member {
    /// The loads of several nodes, or of all that are UP, asked at the same time; of this node
    /// in any case if it is among them. None of their processes are looked at: each node tells
    /// what it sampled in the last second.
    pub(in super::super) async fn loads(
        &self,
        processes: &Processes,
        nodes: Option<Vec<u16>>,
    ) -> ClusterLoads {
        let view = self.handle.views().borrow().clone();
        let here = self.kept().number;
        let answers = asked(&view, here, nodes)
            .into_iter()
            .map(|number| async move {
                let said = if number == here {
                    processes.busy().map_err(|why| why.to_string())
                } else {
                    self.ask_up(number, op::LOAD, &()).await
                };
                (number, said)
            });
        let mut loads = ClusterLoads {
            here,
            ..ClusterLoads::default()
        };
        for (number, said) in futures::future::join_all(answers).await {
            let name = name(&view, number);
            match said {
                Ok(busy) => loads.nodes.push(NodeBusy { number, name, busy }),
                Err(why) => loads.missing.push(Missing { number, name, why }),
            }
        }
        loads
    }
}
