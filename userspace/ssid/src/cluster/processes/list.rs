//! The processes of several nodes.

use ssi_api::control::Failure;
use ssi_api::process::ClusterProcesses;

use super::super::{Cluster, Member};
use super::gather::{self, Answer, Said};
use super::service::{asked, name, op};
use crate::processes::{Page, Processes, Wanted};

impl Cluster {
    /// The processes of several nodes, or of this machine if it is in no cluster.
    pub(super) async fn list(
        &self,
        wanted: Wanted,
        nodes: Option<Vec<u16>>,
    ) -> Result<ClusterProcesses, Failure> {
        if let Some(member) = self.member() {
            return Ok(member.list(&self.processes, wanted, nodes).await);
        }
        if nodes.is_some() {
            self.in_cluster()?;
        }
        let mut all = Pages::new(wanted);
        while let Some(wanted) = all.next() {
            all.add(self.processes.page(wanted).await?);
        }
        let alone = Answer {
            number: 0,
            name: String::new(),
            said: all.said(),
        };
        Ok(gather::gather(0, vec![alone]))
    }
}

impl Member {
    /// The processes of several nodes, asked at the same time.
    async fn list(
        &self,
        processes: &Processes,
        wanted: Wanted,
        nodes: Option<Vec<u16>>,
    ) -> ClusterProcesses {
        let view = self.handle.views().borrow().clone();
        let here = self.kept().number;
        let answers = asked(&view, here, nodes).into_iter().map(|number| {
            let name = name(&view, number);
            async move {
                let said = self.processes_of(number, processes, wanted).await;
                Answer { number, name, said }
            }
        });
        gather::gather(here, futures::future::join_all(answers).await)
    }

    /// The processes of a node, as far as they go into a reply.
    async fn processes_of(
        &self,
        node: u16,
        processes: &Processes,
        wanted: Wanted,
    ) -> Result<Said, String> {
        let mut all = Pages::new(wanted);
        while let Some(wanted) = all.next() {
            all.add(if node == self.kept().number {
                let page = processes.page(wanted).await;
                page.map_err(|why| why.to_string())?
            } else {
                self.ask_up(node, op::LIST, &wanted).await?
            });
        }
        all.said()
    }
}

/// The pages of a node, one after the other.
struct Pages {
    wanted: Wanted,
    said: Option<Said>,
}

impl Pages {
    const fn new(wanted: Wanted) -> Self {
        Self { wanted, said: None }
    }

    /// Whom to ask for next; none: that was all, or more than goes into a reply.
    fn next(&self) -> Option<Wanted> {
        match &self.said {
            Some(said) if !said.more || said.length > gather::ROOM => None,
            _ => Some(self.wanted),
        }
    }

    fn add(&mut self, page: Page) {
        let next = page.next();
        let length = gather::length(&page.view);
        let more = next.is_some();
        if let Some(said) = &mut self.said {
            said.view.processes.extend(page.view.processes);
            said.length += length;
            said.more = more;
        } else {
            let view = page.view;
            self.said = Some(Said { view, length, more });
        }
        self.wanted.after = next.unwrap_or(self.wanted.after);
    }

    fn said(self) -> Result<Said, String> {
        self.said.ok_or_else(|| "answered nothing".to_owned())
    }
}
