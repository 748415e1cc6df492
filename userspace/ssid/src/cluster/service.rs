//! Services that nodes ask each other for: how one is asked, and answers, in postcard's form.

use std::time::Duration;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use ssi_ics::core::{CallError, Failure};
use ssi_ics::runner::Request;

use super::Member;

/// A service of every node.
pub(super) struct Service {
    /// What it is called.
    pub(super) name: &'static str,
    /// How long a node may take to answer.
    pub(super) patience: Duration,
    /// What an `ssid` is like that does not have it, in words that follow "an ssid that".
    pub(super) lacked: &'static str,
}

impl Service {
    /// Why a node did not answer, in words that follow its name.
    pub(super) fn in_words(&self, error: &CallError) -> String {
        match error {
            CallError::Deadline => format!("did not answer within {} s", self.patience.as_secs()),
            CallError::NoService => format!("runs an ssid that {}", self.lacked),
            other => format!("did not answer: {other}"),
        }
    }
}

/// Bytes of an answer that take no longer to read than to hand to another thread.
const LITTLE: usize = 16 << 10;

impl Member {
    /// Asks another node for something of a service.
    pub(super) async fn ask<Q: Serialize, A: for<'a> Deserialize<'a> + Send + 'static>(
        &self,
        service: &Service,
        node: u16,
        op: u16,
        question: &Q,
    ) -> Result<A, CallError> {
        let strange = CallError::Protocol("it is none to this question");
        let body = postcard::to_stdvec(question).map_err(|_| strange.clone())?;
        let calling = self.ics.call(node, service.name, op, Bytes::from(body));
        let answer = calling.deadline(service.patience).await?;
        if answer.len() <= LITTLE {
            return postcard::from_bytes(&answer).map_err(|_| strange);
        }
        // It may be megabytes.
        let read = tokio::task::spawn_blocking(move || postcard::from_bytes(&answer));
        read.await.ok().and_then(Result::ok).ok_or(strange)
    }
}

/// What is asked.
pub(super) fn read<T: for<'a> Deserialize<'a>>(request: &Request) -> Result<T, Failure> {
    postcard::from_bytes(&request.body).map_err(other)
}

/// What is answered.
pub(super) fn reply<T: Serialize>(answer: &T) -> Result<Bytes, Failure> {
    postcard::to_stdvec(answer).map(Bytes::from).map_err(other)
}

/// Why nothing is.
pub(super) fn other(why: impl ToString) -> Failure {
    Failure::Other(why.to_string())
}
