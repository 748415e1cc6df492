//! What instances have written, wherever they run or ran.

use std::collections::BTreeMap;

use ssi_api::control::Failure;
use ssi_api::service::{Chunk, LogsView};
use ssi_keepalive::core::Id;

use super::lookup::{missing, unknown, up};
use super::service::{Part, op, piece};
use crate::cluster::Member;
use crate::cluster::join::{internal, refused};
use crate::keepalive::Piece;

impl Member {
    /// What an instance has written. The first time, that is the last lines of the node
    /// that has it, or else of whoever wrote; then everything behind `after`.
    pub(super) async fn logs(
        &self,
        id: Id,
        node: Option<u16>,
        lines: u32,
        after: &BTreeMap<u16, u64>,
    ) -> Result<LogsView, Failure> {
        let desk = &self.supervision.desk;
        let asked = id.clone();
        let (owner, config) = desk
            .with(move |desk| {
                let owner = desk.agreed.everywhere().get(&asked).copied();
                let owner = owner.and_then(ssi_keepalive::placement::Owner::life);
                (
                    owner.map(|life| life.node.get()),
                    desk.agreed.config.clone(),
                )
            })
            .await
            .map_err(|e| internal(&e))?;
        if owner.is_none() && config.process(&id.process).is_none() {
            return Err(unknown(&config, &id.process));
        }
        let view = self.handle.views().borrow().clone();
        let mut nodes = up(&view);
        if let Some(node) = node {
            if !nodes.contains(&node) {
                return Err(refused(format!("node {node} is not UP; see: ssi cluster")));
            }
            nodes = vec![node];
        }
        let first = after.is_empty();
        let part = |number: u16| Part {
            id: id.clone(),
            // What a node begins to write later is read from its beginning.
            after: (!first).then(|| after.get(&number).copied().unwrap_or(0)),
            lines,
        };
        let read = |part| piece(desk, part);
        let said: BTreeMap<u16, Result<Result<Option<Piece>, String>, String>> = self
            .ask_each(nodes, op::LOGS, part, |part| async { Ok(read(part).await) })
            .await;
        let mut logs = LogsView {
            next: after.clone(),
            ..LogsView::default()
        };
        let mut pieces = Vec::new();
        for (number, said) in said {
            match said.and_then(|said| said) {
                Ok(Some(piece)) => {
                    logs.next.insert(number, piece.next);
                    pieces.push((number, piece.text));
                }
                Ok(None) => {
                    logs.next.entry(number).or_insert(0);
                }
                Err(why) => logs.missing.push(missing(&view, number, why)),
            }
        }
        // Of those that wrote before, the one that has it is meant.
        if first
            && node.is_none()
            && let Some(owner) = owner
            && pieces.iter().any(|(number, _)| *number == owner)
        {
            pieces.retain(|(number, _)| *number == owner);
        }
        let chunks = pieces.into_iter().filter(|(_, text)| !text.is_empty());
        logs.chunks = chunks.map(|(node, text)| Chunk { node, text }).collect();
        Ok(logs)
    }
}
