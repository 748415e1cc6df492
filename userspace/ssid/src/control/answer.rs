//! What is answered to which request.

use std::sync::{Arc, Mutex, PoisonError};

use ssi_api::control::{Failure, FailureKind, LvsRequest, Reply, Request, describe};
use ssi_api::lvs::Command;

use super::Asker;
use crate::cluster::Cluster;
use crate::config::Config;
use crate::data_path::{self, DataPath};
use crate::status::{self, About};
use crate::why::why;

/// Connections given in one reply unless fewer are asked for: about 200 bytes each.
const MOST_CONNECTIONS: u32 = 100_000;

/// Everything that answers are made of.
pub(crate) struct Answers {
    pub(crate) cluster: Arc<Cluster>,
    pub(crate) data_path: Arc<Mutex<DataPath>>,
    pub(crate) about: Mutex<About>,
}

impl Answers {
    /// Does what is asked, on behalf of whoever asks.
    pub(crate) async fn answer(&self, request: Request, asker: Asker) -> Result<Reply, Failure> {
        let user = asker.user;
        match request {
            Request::Describe => Ok(Reply::Requests(describe())),
            Request::Status => {
                let about = self.about();
                let company = self.cluster.company();
                let (name, member) = self.cluster.standing().await;
                self.with(move |data_path| {
                    let mut status = status::status(&about, &company, data_path)?;
                    status.cluster = name;
                    status.member = member;
                    Ok(Reply::Status(Box::new(status)))
                })
                .await
            }
            Request::Doctor => self.with(|path| Ok(Reply::Features(path.doctor()))).await,
            Request::Cluster(request) => self.cluster.answer(request, user).await,
            Request::Ics(request) => self.cluster.talk(request).await,
            Request::Process(request) => self.cluster.processes(request, asker).await,
            Request::Service(request) => self.cluster.service(request, user).await,
            Request::Lvs(LvsRequest::Apply { commands }) => self.apply(commands, user).await,
            Request::Lvs(request) => self.with(move |path| lvs(path, request)).await,
        }
    }

    /// Changes virtual services: the cluster's, or those of a machine in none.
    async fn apply(&self, commands: Vec<Command>, user: u32) -> Result<Reply, Failure> {
        let said = said(&commands);
        let result = match self.cluster.services(commands.clone()).await {
            Some(result) => result,
            None => self.with(move |path| path.apply(&commands)).await,
        };
        match &result {
            Ok(()) => tracing::info!("user {user}: {said}"),
            Err(e) => tracing::info!("user {user}: refused {said}: {e}"),
        }
        result.map(|()| Reply::Done)
    }

    /// What is known about the daemon.
    pub(crate) fn about(&self) -> About {
        self.about
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Takes a new configuration.
    pub(crate) async fn reconfigure(&self, config: Config) -> anyhow::Result<()> {
        self.cluster.reconfigure(config.clone()).await?;
        self.about
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .config = config;
        Ok(())
    }

    /// Works on the data path.
    async fn with<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut DataPath) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Failure> {
        data_path::with(&self.data_path, |path| Ok(work(path)))
            .await
            .unwrap_or_else(|e| Err(Failure::new(FailureKind::Internal, why(&e))))
    }
}

fn lvs(path: &mut DataPath, request: LvsRequest) -> Result<Reply, Failure> {
    match request {
        // It is for the cluster to say.
        LvsRequest::Apply { .. } => Ok(Reply::Done),
        LvsRequest::List { service } => path.list(service),
        LvsRequest::Connections { limit } => path.connections(match limit {
            0 => MOST_CONNECTIONS,
            limit => limit.min(MOST_CONNECTIONS),
        }),
        LvsRequest::Counters => Ok(Reply::Counters(path.counters()?)),
        LvsRequest::Timeouts => Ok(Reply::Timeouts(path.timeouts())),
    }
}

/// Commands in a word, for the log.
fn said(commands: &[Command]) -> String {
    match commands {
        [one] => format!("{one:?}"),
        many => format!("{} commands", many.len()),
    }
}
