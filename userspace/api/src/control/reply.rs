use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::{Counted, Described, Feature, Status, VERSION};
use crate::cluster::{ClusterView, Event, Token};
use crate::ics::{IcsView, Ping};
use crate::lvs::{ConnectionView, ServiceView, Timeouts};
use crate::process::{
    ClusterForwarded, ClusterLoads, ClusterPids, ClusterProcesses, ClusterWaits, Looked, Missing,
    Niced, Signalled, Swept,
};
use crate::service::{LogsView, ServiceEvent, ServiceOutcome, ServiceText, ServicesView};

/// One line from the daemon.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Fields")]
pub struct Response {
    /// The daemon's protocol version.
    pub version: u32,
    /// The request's; 0 if the request could not be read that far.
    pub id: u64,
    /// How it went: `"ok": …` or `"error": …`.
    #[serde(flatten)]
    pub outcome: Outcome,
}

/// How a request went.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// It was done.
    Ok(Reply),
    /// It was not, and nothing changed.
    Error(Failure),
}

/// A response as it is read: serde would keep all of a flattened one in pieces first, which
/// takes many times its size where it has 100,000 processes in it.
#[derive(Deserialize)]
struct Fields {
    version: u32,
    id: u64,
    ok: Option<Reply>,
    error: Option<Failure>,
}

impl TryFrom<Fields> for Response {
    type Error = &'static str;

    fn try_from(fields: Fields) -> Result<Self, Self::Error> {
        let outcome = match (fields.ok, fields.error) {
            (Some(reply), None) => Outcome::Ok(reply),
            (None, Some(failure)) => Outcome::Error(failure),
            _ => return Err("it has neither \"ok\" nor \"error\", or both"),
        };
        Ok(Self {
            version: fields.version,
            id: fields.id,
            outcome,
        })
    }
}

impl Response {
    /// The response to request `id`.
    #[must_use]
    pub fn new(id: u64, result: Result<Reply, Failure>) -> Self {
        Self {
            version: VERSION,
            id,
            outcome: match result {
                Ok(reply) => Outcome::Ok(reply),
                Err(failure) => Outcome::Error(failure),
            },
        }
    }

    /// How it went.
    ///
    /// # Errors
    /// The daemon's failure.
    pub fn into_result(self) -> Result<Reply, Failure> {
        match self.outcome {
            Outcome::Ok(reply) => Ok(reply),
            Outcome::Error(failure) => Err(failure),
        }
    }
}

/// What comes back when a request was done.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reply {
    /// Nothing to say.
    Done,
    /// To `describe`.
    Requests(Vec<Described>),
    /// To `status`.
    Status(Box<Status>),
    /// To `doctor`.
    Features(Vec<Feature>),
    /// To `lvs list`.
    Services {
        /// The services, in the order they were added.
        services: Vec<ServiceView>,
        /// How many connections the tables can remember.
        size: u32,
    },
    /// To `lvs connections`.
    Connections {
        /// The entries, in no order.
        entries: Vec<ConnectionView>,
        /// Whether there were more than the limit.
        truncated: bool,
    },
    /// To `lvs counters`.
    Counters(Vec<Counted>),
    /// To `lvs timeouts`.
    Timeouts(Timeouts),
    /// To `cluster show`.
    Cluster(Box<ClusterView>),
    /// To `cluster history`.
    History(Vec<Event>),
    /// To `cluster token`.
    Token(Token),
    /// To `cluster init` and `cluster join`: the number that this node has now.
    Member {
        /// The number.
        number: u16,
    },
    /// To `ics show`.
    Ics(Box<IcsView>),
    /// To `ics ping`.
    Ping(Box<Ping>),
    /// To `process list`.
    ClusterProcesses(Box<ClusterProcesses>),
    /// To `process loads`.
    Loads(ClusterLoads),
    /// To `process forwarded`.
    Forwarded(ClusterForwarded),
    /// To `process waits`.
    Waits(ClusterWaits),
    /// To `process pids`.
    Pids(ClusterPids),
    /// To `process look`.
    Looked(Looked),
    /// To `process sweep`.
    Swept(Swept),
    /// To `process signal`: what became of it, in the order of the targets.
    Signalled(Vec<Signalled>),
    /// To `process nice`: what became of it, in the order of the targets.
    Niced(Vec<Niced>),
    /// To `service list`.
    Supervised(Box<ServicesView>),
    /// To `service text`.
    ServiceText(ServiceText),
    /// To requests that change what is supervised, or how.
    ServiceOutcome(ServiceOutcome),
    /// To `service logs`.
    Logs(LogsView),
    /// To `service events`.
    ServiceEvents {
        /// The events, oldest first.
        events: Vec<ServiceEvent>,
        /// Nodes that did not tell theirs.
        missing: Vec<Missing>,
    },
}

/// Why a request was not done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Error)]
#[error("{message}")]
pub struct Failure {
    /// What sort of failure, for programs.
    pub kind: FailureKind,
    /// What is wrong and what to do, for people; one line.
    pub message: String,
    /// Of a list of commands: which one it was, from 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<usize>,
}

impl Failure {
    /// A failure that is not about one command of a list.
    #[must_use]
    pub fn new(kind: FailureKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            command: None,
        }
    }
}

/// Sorts of failures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FailureKind {
    /// The line was not a request.
    Malformed,
    /// The line or the reply is longer than [`super::MAX_LINE`].
    TooLong,
    /// The request is of a protocol version the daemon doesn't speak.
    Version,
    /// The request makes no sense as things are: a duplicate, an unknown service, …
    Refused,
    /// Too many clients, or too many of something else.
    Busy,
    /// Something failed that should not have.
    Internal,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ok_and_error_are_told_apart_by_their_field() {
        let ok = serde_json::to_string(&Response::new(7, Ok(Reply::Done))).unwrap();
        assert_eq!(ok, r#"{"version":1,"id":7,"ok":"done"}"#);
        let failure = Failure::new(FailureKind::TooLong, "too long");
        let error = serde_json::to_string(&Response::new(0, Err(failure.clone()))).unwrap();
        assert_eq!(
            error,
            r#"{"version":1,"id":0,"error":{"kind":"too-long","message":"too long"}}"#
        );
        let back: Response = serde_json::from_str(&error).unwrap();
        assert_eq!(back.into_result(), Err(failure));
    }
}
