//! What the nodes' balancing forwards.

use std::sync::{Arc, Mutex};

use anyhow::Result;
use ssi_api::process::{ClusterForwarded, ForwardedView};

use super::super::Member;
use super::service::{asked, op};
use crate::data_path::{self, DataPath};

/// What this node forwards.
pub(super) async fn here(data_path: &Arc<Mutex<DataPath>>) -> Result<ForwardedView> {
    data_path::with(data_path, |path| Ok(path.forwarded())).await
}

impl Member {
    /// What several nodes forward, or all that are UP, asked at the same time. Who doesn't say is
    /// left out: whoever asks for loads too knows why.
    pub(super) async fn forwarded(
        &self,
        data_path: &Arc<Mutex<DataPath>>,
        nodes: Option<Vec<u16>>,
    ) -> ClusterForwarded {
        let view = self.handle.views().borrow().clone();
        let own = self.kept().number;
        let answers = asked(&view, own, nodes)
            .into_iter()
            .map(|number| async move {
                let said = if number == own {
                    here(data_path).await.ok()
                } else {
                    self.ask_up(number, op::FORWARDED, &()).await.ok()
                };
                Some((number, said?))
            });
        let answers = futures::future::join_all(answers).await;
        ClusterForwarded {
            nodes: answers.into_iter().flatten().collect(),
        }
    }
}
