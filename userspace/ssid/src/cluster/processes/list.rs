//! The processes of several nodes.

use ssi_api::process::{ClusterProcesses, ProcessesView};

use super::super::Member;
use super::gather;
use super::service::{asked, name, op};
use crate::processes::{Page, Processes, Wanted};

impl Member {
    /// The processes of several nodes, asked at the same time.
    pub(super) async fn list(
        &self,
        processes: &Processes,
        args: bool,
        nodes: Option<Vec<u16>>,
    ) -> ClusterProcesses {
        let view = self.handle.views().borrow().clone();
        let here = self.kept().number;
        let answers = asked(&view, here, nodes).into_iter().map(|number| {
            let view = &view;
            async move {
                let said = if number == here {
                    processes.list(args).await.map_err(|e| e.to_string())
                } else {
                    self.processes_of(number, args).await
                };
                gather::Answer::new(number, name(view, number), said)
            }
        });
        gather::gather(here, futures::future::join_all(answers).await)
    }

    /// All processes of another node.
    async fn processes_of(&self, node: u16, args: bool) -> Result<ProcessesView, String> {
        let mut all: Option<ProcessesView> = None;
        let mut after = Some(0);
        while let Some(last) = after {
            let wanted = Wanted { after: last, args };
            let page: Page = self.ask_up(node, op::LIST, &wanted).await?;
            after = page.next();
            match &mut all {
                Some(all) => all.processes.extend(page.view.processes),
                None => all = Some(page.view),
            }
        }
        all.ok_or("answered nothing".to_owned())
    }
}
