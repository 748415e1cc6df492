//! Echoes: how long another node's daemon takes to answer, lane by lane.

use std::time::{Duration, Instant};

use bytes::Bytes;

use super::Ics;
use super::handler::{Request, Services};
use crate::core::{CallError, Failure, Lane, Node, Priority};

/// The service that every node has.
const ECHO: &str = "ics.echo";

pub(super) fn register(services: &mut Services) {
    services
        .register(ECHO, echo)
        .expect("the first service of all");
}

async fn echo(request: Request) -> Result<Bytes, Failure> {
    if let Some(mut stream) = request.stream {
        while let Ok(Some(_)) = stream.next().await {}
    }
    Ok(request.body)
}

impl Ics {
    /// How long a call takes that brings so many bytes: there, through the other node's
    /// daemon, and back. Calls of the priorities bring them back as well; on the bulk lane
    /// they go as a stream, and only the word comes back that they were read. A reply lane is
    /// measured by a call of the lowest priority whose replies go over it.
    ///
    /// # Errors
    /// The call's own; without an answer `within` that time, [`CallError::Deadline`].
    pub async fn ping(
        &self,
        node: Node,
        lane: Lane,
        bytes: usize,
        within: Duration,
    ) -> Result<Duration, CallError> {
        let load = Bytes::from(vec![0; bytes]);
        let start = Instant::now();
        let call = |body| self.call(node, ECHO, 0, body).deadline(within);
        match lane {
            Lane::Calls(priority) => call(load).priority(priority).await.map(drop)?,
            Lane::Reply => call(load).await.map(drop)?,
            Lane::PriorityReply => {
                let first = Lane::ALL
                    .into_iter()
                    .filter_map(|lane| match lane {
                        Lane::Calls(priority) => Some(priority),
                        _ => None,
                    })
                    .find(|priority| Lane::reply_to(*priority) == lane);
                let priority = first.unwrap_or(Priority::HIGHEST);
                call(load).priority(priority).await.map(drop)?;
            }
            Lane::Bulk => {
                let (mut stream, reply) = call(Bytes::new()).stream().await?;
                let sent = async {
                    stream.send(load).await?;
                    stream.finish().await
                };
                // A call that ended before its stream says why.
                let _ = sent.await;
                reply.wait().await?;
            }
        }
        Ok(start.elapsed())
    }
}
