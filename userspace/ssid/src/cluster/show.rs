//! The view, as the control socket shows it.

use data_encoding::HEXLOWER;
use ssi_api::cluster::{ClusterView, MemberView, ResourceView, Waiting};
use ssi_api::control::{Failure, MemberStatus, Reply};
use ssi_clms::core::{Number, View};
use ssi_clms::runner::Status;

use super::join::internal;
use super::kept::Kept;
use super::record::{in_words, state};
use super::world::Standing;
use super::{Cluster, Member};

impl Cluster {
    pub(super) async fn show(&self) -> Result<Reply, Failure> {
        let member = self.in_cluster()?;
        let status = member
            .handle
            .status()
            .await
            .map_err(|e| internal(&e.into()))?;
        Ok(Reply::Cluster(Box::new(member.view(&status))))
    }

    pub(super) fn history(&self) -> Result<Reply, Failure> {
        Ok(Reply::History(self.in_cluster()?.record.events()))
    }

    /// The cluster's name, and how this node stands in it.
    pub(crate) async fn standing(&self) -> (String, Option<MemberStatus>) {
        if let Some(member) = self.member()
            && let Ok(status) = member.handle.status().await
        {
            let kept = member.kept();
            let master = status.view.master.map(|master| master.node.number.get());
            let own = Number::new(kept.number).and_then(|own| status.view.members.get(&own));
            let standing = MemberStatus {
                state: own.map_or(ssi_api::cluster::NodeState::NeverUp, |own| state(own.state)),
                incarnation: status.id.map(|id| id.incarnation),
                epoch: status.view.epoch,
                master,
                fenced: status.fenced,
                waits_for: member.waits_for(&status),
            };
            return (kept.cluster, Some(standing));
        }
        match self.world.standing() {
            Standing::Left(kept) => (kept.cluster, None),
            _ => (String::new(), None),
        }
    }
}

impl Member {
    fn view(&self, status: &Status) -> ClusterView {
        let Kept {
            cluster,
            identity,
            number,
            ..
        } = self.kept();
        let view = &status.view;
        let numbers = |numbers: &[Number]| numbers.iter().map(|number| number.get()).collect();
        ClusterView {
            name: cluster,
            identity: format!("{identity:016x}"),
            node: number,
            incarnation: status.id.map(|id| id.incarnation),
            max_nodes: Some(view.max_nodes),
            epoch: view.epoch,
            master: view.master.map(|master| master.node.number.get()),
            voters: numbers(&view.voters),
            witness: None,
            fenced: status.fenced,
            waits_for: self.waits_for(status),
            waiting: status
                .waiting
                .iter()
                .map(|(id, subsystems)| Waiting {
                    node: id.number.get(),
                    subsystems: subsystems.clone(),
                })
                .collect(),
            nodes: self.nodes(view),
            resources: view
                .owners
                .iter()
                .map(|(name, held)| ResourceView {
                    name: name.clone(),
                    owner: held.owner.map(|owner| owner.number.get()),
                    epoch: held.since,
                })
                .collect(),
        }
    }

    fn nodes(&self, view: &View) -> Vec<MemberView> {
        let members = view.members.values();
        members
            .map(|member| {
                let candidate = &member.candidate;
                MemberView {
                    number: member.id.number.get(),
                    name: candidate.name.clone(),
                    incarnation: member.id.incarnation,
                    state: state(member.state),
                    epoch: member.since,
                    since: self.record.since(member.id.number),
                    why: member.why.map(|why| in_words(why).to_owned()),
                    addresses: candidate.addresses.clone(),
                    kernel: candidate.facts.kernel.clone(),
                    cpus: candidate.facts.cpus,
                    memory: candidate.facts.memory,
                    version: candidate.facts.version.clone(),
                    potential_master: candidate.potential_master,
                    fingerprint: HEXLOWER.encode(&candidate.key),
                    stalled: None,
                }
            })
            .collect()
    }

    /// Why this node doesn't go on, in words.
    fn waits_for(&self, status: &Status) -> Option<String> {
        let refused = self.progress.borrow().refused.clone();
        if status.id.is_none() {
            return Some(match refused {
                Some(why) => format!("to be taken in, but the cluster says: {why}"),
                None => "to be taken in by the cluster; no member has answered yet".to_owned(),
            });
        }
        if !status.fenced {
            return None;
        }
        let voters = &status.view.voters;
        let numbers: Vec<String> = voters.iter().map(ToString::to_string).collect();
        Some(format!(
            "a lease: this node has stopped what others may do instead, until a majority of the voters ({}) is in touch with it",
            numbers.join(", ")
        ))
    }
}
