//! The view, as the control socket shows it.

use std::sync::PoisonError;
use std::time::{Duration, Instant};

use data_encoding::HEXLOWER;
use ssi_api::cluster::{ClusterView, MemberView, ResourceView, Waiting, WitnessView};
use ssi_api::control::{Failure, MemberStatus, Reply};
use ssi_clms::core::pair::Waits;
use ssi_clms::core::{NodeId, Number};
use ssi_clms::runner::Status;

use super::join::internal;
use super::kept::Kept;
use super::record::{in_words, state};
use super::world::Standing;
use super::{Cluster, Member};

/// How long the history waits for a view that is being taken in.
const NOTED: Duration = Duration::from_secs(1);

impl Cluster {
    pub(super) async fn show(&self) -> Result<Reply, Failure> {
        let member = self.in_cluster()?;
        let status = member.status().await?;
        Ok(Reply::Cluster(Box::new(member.view(&status))))
    }

    /// The transitions, up to the view that whoever asks may have been shown before: it is
    /// shown as soon as it is agreed, and noted when the subsystems have it.
    pub(super) async fn history(&self) -> Result<Reply, Failure> {
        let member = self.in_cluster()?;
        let status = member.status().await?;
        let mut progress = member.progress.subscribe();
        let noted = progress.wait_for(|progress| progress.view.epoch >= status.view.epoch);
        // A subsystem that hangs keeps nobody from seeing what was before.
        let _ = tokio::time::timeout(NOTED, noted).await;
        Ok(Reply::History(member.record.events()))
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
    /// What membership says now.
    pub(super) async fn status(&self) -> Result<Status, Failure> {
        let status = self.handle.status().await;
        status.map_err(|error| internal(&error.into()))
    }

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
            witness: view.witness.as_ref().and_then(|seated| {
                let address = *seated.witness.addresses.first()?;
                Some(WitnessView { address })
            }),
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
            nodes: self.nodes(status),
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

    fn nodes(&self, status: &Status) -> Vec<MemberView> {
        let members = status.view.members.values();
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
                    stalled: self.stalled(member.id, status.stalled.contains(&member.id)),
                }
            })
            .collect()
    }

    /// For how many seconds a node has stood still, as far as this one has looked.
    fn stalled(&self, id: NodeId, stands: bool) -> Option<u64> {
        let stalled = self.stalled.lock();
        let mut stalled = stalled.unwrap_or_else(PoisonError::into_inner);
        if !stands {
            stalled.remove(&id);
            return None;
        }
        let since = stalled.entry(id).or_insert_with(Instant::now);
        Some(since.elapsed().as_secs())
    }

    /// Why this node doesn't go on, in words.
    fn waits_for(&self, status: &Status) -> Option<String> {
        let refused = self.progress.borrow().refused.clone();
        if let Some(waits) = &status.waits {
            return Some(for_the_other(waits));
        }
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

/// What a pair without a tie-breaker waits for.
fn for_the_other(waits: &Waits) -> String {
    match waits {
        Waits::ForVoter(number) => format!(
            "node {number}, the only voter: to come back, or to be surely off (by cluster.fence, or `ssi fenced {number}` if you answer for it); a witness (`ssi witness`) would spare that"
        ),
        Waits::ForPartners(numbers) => {
            let each: Vec<String> = numbers.iter().map(ToString::to_string).collect();
            let all = each.join(", ");
            let first = each.first().cloned().unwrap_or_default();
            format!(
                "node {all}: to say that the cluster has not gone on without this one, or to be surely off (`ssi fenced {first}` if you answer for it)"
            )
        }
    }
}
