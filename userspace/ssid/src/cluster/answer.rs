//! What is asked about the cluster over the control socket.

use ssi_api::cluster::ClusterRequest;
use ssi_api::control::{Failure, Reply};
use ssi_api::ics::IcsRequest;
use ssi_api::lvs::Command;

use super::Cluster;

impl Cluster {
    /// Does what is asked of membership, on behalf of `user`.
    pub(crate) async fn answer(
        &self,
        request: ClusterRequest,
        user: u32,
    ) -> Result<Reply, Failure> {
        let said = said(&request);
        let result = match request {
            ClusterRequest::Show => self.show().await,
            ClusterRequest::History => self.history().await,
            ClusterRequest::Init { name, number } => self.init(&name, number).await,
            ClusterRequest::Token { valid } => self.token(valid),
            ClusterRequest::Join {
                host,
                token,
                number,
            } => self.join(&host, &token, number).await,
            ClusterRequest::Leave => self.leave().await,
            ClusterRequest::Rejoin => self.rejoin().await,
            ClusterRequest::Forget { number } => self.forget(number).await,
            ClusterRequest::Evict { number } => self.evict(number).await,
            ClusterRequest::Fenced { number } => self.fenced(number).await,
            ClusterRequest::DropWitness => self.drop_witness().await,
        };
        if let Some(said) = said {
            match &result {
                Ok(_) => tracing::info!("user {user}: {said}"),
                Err(failure) => tracing::info!("user {user}: refused {said}: {failure}"),
            }
        }
        result
    }

    /// Does what is asked of internode communication.
    pub(crate) async fn talk(&self, request: IcsRequest) -> Result<Reply, Failure> {
        match request {
            IcsRequest::Show => self.ics().await,
            IcsRequest::Ping { node, count, bytes } => self.ping(node, count, bytes).await,
        }
    }

    /// Has the cluster change its virtual services; none: this machine is in no cluster,
    /// and changes its own.
    pub(crate) async fn services(&self, commands: Vec<Command>) -> Option<Result<(), Failure>> {
        let member = self.member()?;
        Some(member.registry.apply(commands).await)
    }
}

/// A request in a word, for the log; none if it changes nothing. Tokens stay secret.
fn said(request: &ClusterRequest) -> Option<String> {
    Some(match request {
        ClusterRequest::Show | ClusterRequest::History => return None,
        ClusterRequest::Init { name, .. } => format!("found {name}"),
        ClusterRequest::Token { valid } => format!("a token for {valid} s"),
        ClusterRequest::Join { host, .. } => format!("join by way of {host}"),
        ClusterRequest::Leave => "leave".to_owned(),
        ClusterRequest::Rejoin => "come back".to_owned(),
        ClusterRequest::Forget { number } => format!("forget node {number}"),
        ClusterRequest::Evict { number } => format!("put node {number} out"),
        ClusterRequest::Fenced { number } => format!("node {number} is off"),
        ClusterRequest::DropWitness => "drop the witness".to_owned(),
    })
}
