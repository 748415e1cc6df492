//! What an operator changes about the cluster: tokens, leaving, coming back, putting others
//! out.

use std::time::Duration;

use ssi_api::cluster::Token as TokenView;
use ssi_api::control::{Failure, FailureKind, Reply};
use ssi_clms::core::command::Command;
use ssi_clms::core::member::Why;
use ssi_clms::core::pair::Waits;
use ssi_clms::core::{NodeId, Number, State, View};
use ssi_clms::door::Token;
use tokio::time::{Instant, sleep};

use super::home::now;
use super::join::{Late, internal, refused, up};
use super::saved::Saved;
use super::world::Standing;
use super::{Cluster, Member};
use crate::data_path::{self, DataPath};
use crate::random::random;

/// Longest validity of a token: a month.
const LONGEST: u64 = 31 * 24 * 3600;
/// How long a node may take to go.
const PATIENCE: Duration = Duration::from_secs(20);
/// How often what may be lost is said again.
const AGAIN: Duration = Duration::from_millis(100);

impl Cluster {
    /// This node, which has to be in a cluster.
    pub(super) fn in_cluster(&self) -> Result<std::sync::Arc<Member>, Failure> {
        self.member().ok_or_else(|| match self.world.standing() {
            Standing::Left(kept) => refused(format!(
                "this node has left the cluster {}; `ssi rejoin` takes it back",
                kept.cluster
            )),
            _ => refused(
                "this node is in no cluster; `ssi init NAME` founds one, `ssi join HOST TOKEN` joins one",
            ),
        })
    }

    pub(super) fn token(&self, valid: u64) -> Result<Reply, Failure> {
        let member = self.in_cluster()?;
        if !(1..=LONGEST).contains(&valid) {
            return Err(refused(format!(
                "a token is valid for 1 second to {} days",
                LONGEST / 86_400
            )));
        }
        let authority = member.kept().issuer().map_err(|e| internal(&e))?;
        let expires = now() + valid;
        let token = Token::new(&authority, expires, random());
        Ok(Reply::Token(TokenView {
            token: token.to_string(),
            expires,
        }))
    }

    pub(super) async fn leave(&self) -> Result<Reply, Failure> {
        let _changing = self.changing.lock().await;
        let member = self.in_cluster()?;
        let status = member.status().await?;
        let Some(id) = status.id else {
            return Err(refused(
                "this node is no member now; it waits to be taken in",
            ));
        };
        if status.view.present().count() < 2 {
            return Err(refused(
                "this node is the whole cluster: there is nobody to leave it to",
            ));
        }
        let until = Instant::now() + PATIENCE;
        let mut views = member.handle.views();
        // The others could agree on nothing any more, not even on its going. A cluster that
        // has just been formed has more voters in a moment.
        let alone = |view: &View| view.voters == [id.number] && !view.witness_votes();
        let others = tokio::time::timeout(PATIENCE, views.wait_for(|view| !alone(view)));
        if !matches!(others.await, Ok(Ok(_))) {
            return Err(refused(
                "only this node votes about the view, so the others can't go on without it; have the others leave, or give the cluster a witness (`ssi witness`)",
            ));
        }
        while views.borrow_and_update().has(id) {
            // Others may have let it go and tell it only that: it gets no view any more.
            let status = member.handle.status().await;
            if status.map_err(|e| internal(&e.into()))?.id != Some(id) {
                break;
            }
            if Instant::now() > until {
                return Err(Failure::new(
                    FailureKind::Busy,
                    "the cluster has not let this node go yet; it stays a member until it has. `ssi cluster` says what it waits for",
                ));
            }
            member
                .handle
                .leave()
                .await
                .map_err(|e| internal(&e.into()))?;
            // A new view, or it is said again.
            let _ = tokio::time::timeout(AGAIN, views.changed()).await;
        }
        let mut kept = member.kept();
        kept.left = true;
        kept.token = None;
        let config = self.world.config();
        kept.save(&config.state.directory)
            .map_err(|e| internal(&e))?;
        member.supervision.end().await;
        self.exit().await;
        self.world
            .stand(|place| *place = Standing::Left(Box::new(kept)))
            .await
            .map_err(|e| internal(&e))?;
        data_path::with(&self.world.data_path, DataPath::part)
            .await
            .map_err(|e| internal(&e))?;
        tracing::info!("this node has left the cluster");
        Ok(Reply::Done)
    }

    pub(super) async fn rejoin(&self) -> Result<Reply, Failure> {
        let _changing = self.changing.lock().await;
        let Standing::Left(kept) = self.world.standing() else {
            return Err(refused("this node has left no cluster"));
        };
        let config = self.world.config();
        let mut kept = *kept;
        kept.left = false;
        kept.save(&config.state.directory)
            .map_err(|e| internal(&e))?;
        let saved = Saved::load(&config.state.directory)
            .map_err(|e| internal(&e))?
            .unwrap_or_default();
        let standing = Standing::Member(Box::new(super::world::Member {
            kept: kept.clone(),
            view: std::sync::Arc::new(saved.view.clone()),
            id: None,
            fenced: true,
        }));
        let number = kept.number;
        self.world
            .stand(|place| *place = standing)
            .await
            .map_err(|e| internal(&e))?;
        let member = self.enter(kept, saved).await.map_err(|e| internal(&e))?;
        match up(&member).await {
            Ok(()) => Ok(Reply::Member { number }),
            Err(Late::Refused(why)) => Err(refused(why)),
            Err(Late::Slow(state)) => Err(Failure::new(
                FailureKind::Busy,
                format!("{state}; it goes on trying: `ssi cluster` says how it stands"),
            )),
        }
    }

    pub(super) async fn forget(&self, number: u16) -> Result<Reply, Failure> {
        let member = self.in_cluster()?;
        let number = known(number)?;
        // One that is on its way out is DOWN in a moment, and has no vote any more.
        let view = member.handle.views().borrow().clone();
        if let Some(known) = view.members.get(&number)
            && !known.state.is_member()
        {
            self.until_down(&member, known.id).await?;
        }
        member.ask.propose(Command::Forget { number }).await?;
        Ok(Reply::Done)
    }

    /// Puts a node out for good: its key is worth nothing once it is DOWN.
    pub(super) async fn evict(&self, number: u16) -> Result<Reply, Failure> {
        let member = self.in_cluster()?;
        let number = known(number)?;
        let view = member.handle.views().borrow().clone();
        let Some(known) = view.members.get(&number) else {
            return Err(refused(format!("there is no node {number}")));
        };
        if number.get() == member.kept().number {
            return Err(refused(
                "a node does not put itself out; `ssi leave` leaves, or do it from another node",
            ));
        }
        if known.state.is_member() {
            let remove = Command::Remove {
                nodes: vec![(known.id, Why::Fenced)],
                probe_key: [0; 2],
            };
            member.ask.propose(remove).await?;
        }
        self.until_down(&member, known.id).await?;
        member.ask.propose(Command::Forget { number }).await?;
        Ok(Reply::Done)
    }

    /// An operator answers for a node's being off.
    pub(super) async fn fenced(&self, number: u16) -> Result<Reply, Failure> {
        let member = self.in_cluster()?;
        let status = member.status().await?;
        let waited_for = match &status.waits {
            Some(Waits::ForVoter(voter)) => vec![voter.get()],
            Some(Waits::ForPartners(partners)) => partners.iter().map(|n| n.get()).collect(),
            None => Vec::new(),
        };
        if !waited_for.contains(&number) {
            return Err(refused(format!(
                "this node does not wait for node {number} to be off; `ssi cluster` says what it waits for"
            )));
        }
        let said = member.handle.take_over().await;
        let said = said.map_err(|e| internal(&e.into()))?;
        said.map_err(|why| refused(why.to_string()))?;
        Ok(Reply::Done)
    }

    pub(super) async fn drop_witness(&self) -> Result<Reply, Failure> {
        let member = self.in_cluster()?;
        let none = Command::Witness { witness: None };
        member.ask.propose(none).await?;
        Ok(Reply::Done)
    }

    async fn until_down(&self, member: &Member, id: NodeId) -> Result<(), Failure> {
        let until = Instant::now() + PATIENCE;
        loop {
            let view = member.handle.views().borrow().clone();
            // One that still votes about the log can't be forgotten; the master sees to that.
            let votes = view.voters.contains(&id.number);
            let is_down = |state| state == State::Down && !votes;
            let known = view.members.get(&id.number);
            if known.is_none_or(|known| known.id != id || is_down(known.state)) {
                return Ok(());
            }
            if Instant::now() > until {
                return Err(Failure::new(
                    FailureKind::Busy,
                    format!(
                        "node {} is out, but not cleaned up after yet; `ssi cluster` says who is at it, and `ssi forget {}` ends it then",
                        id.number, id.number
                    ),
                ));
            }
            sleep(AGAIN).await;
        }
    }
}

fn known(number: u16) -> Result<Number, Failure> {
    Number::new(number).ok_or_else(|| refused("0 is no node number"))
}
