//! What is answered to which request.

use std::sync::{Arc, Mutex, PoisonError};

use ssi_api::control::{Failure, FailureKind, LvsRequest, Reply, Request, describe};
use ssi_api::lvs::Command;

use crate::config::Config;
use crate::data_path::DataPath;
use crate::status::{self, About};
use crate::why::why;

/// Connections given in one reply unless fewer are asked for: about 200 bytes each.
const MOST_CONNECTIONS: u32 = 100_000;

/// Everything that answers are made of.
pub(crate) struct Answers {
    pub(crate) data_path: Arc<Mutex<DataPath>>,
    pub(crate) about: Mutex<About>,
}

impl Answers {
    /// Does what is asked, on behalf of `user`.
    pub(crate) async fn answer(&self, request: Request, user: u32) -> Result<Reply, Failure> {
        match request {
            Request::Describe => Ok(Reply::Requests(describe())),
            Request::Status => {
                let about = self.about();
                self.with(move |data_path| {
                    Ok(Reply::Status(Box::new(status::status(&about, data_path)?)))
                })
                .await
            }
            Request::Doctor => self.with(|path| Ok(Reply::Features(path.doctor()))).await,
            Request::Lvs(request) => self.with(move |path| lvs(path, request, user)).await,
        }
    }

    /// What is known about the daemon.
    pub(crate) fn about(&self) -> About {
        self.about
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Takes a new configuration.
    pub(crate) async fn reconfigure(&self, config: Config) -> Result<(), Failure> {
        let for_path = config.clone();
        self.with(move |path| {
            path.reconfigure(&for_path)
                .map_err(|e| Failure::new(FailureKind::Internal, why(&e)))
        })
        .await?;
        self.about
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .config = config;
        Ok(())
    }

    /// Works on the data path in a thread of its own: thousands of map operations must not
    /// keep the daemon from its signals and its other clients.
    async fn with<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut DataPath) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Failure> {
        let data_path = self.data_path.clone();
        // A panic ends the process (`log::end_on_panic`), so a poisoned lock is not met.
        tokio::task::spawn_blocking(move || {
            work(&mut data_path.lock().unwrap_or_else(PoisonError::into_inner))
        })
        .await
        .unwrap_or_else(|e| Err(Failure::new(FailureKind::Internal, e.to_string())))
    }
}

fn lvs(path: &mut DataPath, request: LvsRequest, user: u32) -> Result<Reply, Failure> {
    match request {
        LvsRequest::Apply { commands } => {
            let said = said(&commands);
            let result = path.apply(&commands);
            match &result {
                Ok(()) => tracing::info!("user {user}: {said}"),
                Err(e) => tracing::info!("user {user}: refused {said}: {e}"),
            }
            result.map(|()| Reply::Done)
        }
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
