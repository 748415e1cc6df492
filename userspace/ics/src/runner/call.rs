//! Calls: who is called, how urgent it is, and how long one waits.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use super::remote::{Engine, Remote};
use super::stream::StreamOut;
use crate::core::peer::{Ask, CallId};
use crate::core::{CallError, Lane, Moment, Node, Priority, Service};

tokio::task_local! {
    /// What calls made by the handler that runs in this task have at least.
    pub(super) static PRIORITY: Priority;
}

/// A call that is being put together. It goes when it is awaited.
#[must_use = "a call goes when it is awaited"]
pub struct Calling {
    pub(super) remote: Result<Arc<Remote>, CallError>,
    pub(super) service: Service,
    pub(super) op: u16,
    pub(super) body: Bytes,
    pub(super) priority: Priority,
    pub(super) within: Option<Duration>,
    pub(super) wait: bool,
}

impl Calling {
    pub(super) fn new(
        remote: Option<Arc<Remote>>,
        node: Node,
        service: Service,
        op: u16,
        body: Bytes,
    ) -> Self {
        Self {
            remote: remote.ok_or(CallError::NodeDown { node, epoch: 0 }),
            service,
            op,
            body,
            priority: Priority::LOWEST,
            within: None,
            wait: true,
        }
    }

    /// How urgent it is; the lowest unless it is said. A call that is made while handling
    /// another, in the same task, is at least one more urgent than that.
    pub fn priority(mut self, priority: Priority) -> Self {
        self.priority = priority;
        self
    }

    /// How long to wait for the reply, and for room if calls are throttled; for ever unless
    /// it is said, which is until the node goes down.
    pub fn deadline(mut self, within: Duration) -> Self {
        self.within = Some(within);
        self
    }

    /// To be refused with [`CallError::Throttled`] rather than wait for room.
    pub fn no_wait(mut self) -> Self {
        self.wait = false;
        self
    }

    /// Sends it without wanting a reply; returns when it is on its way.
    ///
    /// # Errors
    /// The node is down, the body too large, or there was no room in time.
    pub async fn one_way(self) -> Result<(), CallError> {
        let send = |engine: &mut Engine, now, ask| engine.peer.one_way(now, ask);
        self.ask(false, send).await.map(|_| ())
    }

    /// Sends it with a stream to follow; returns when it is on its way, with the stream and
    /// what waits for the reply.
    ///
    /// # Errors
    /// As for [`one_way`](Self::one_way).
    pub async fn stream(self) -> Result<(StreamOut, Reply), CallError> {
        let (remote, (call, writable)) = self
            .ask(true, |engine, now, ask| {
                let call = engine.peer.call(now, ask)?;
                engine.waiters.begin(call);
                Ok((call, engine.wait_for_stream(call)))
            })
            .await?;
        let out = StreamOut::new(Arc::clone(&remote), call, writable);
        Ok((out, Reply::new(remote, call)))
    }

    /// Sends it; returns what waits for the reply, so that several calls can be under way.
    ///
    /// # Errors
    /// As for [`one_way`](Self::one_way).
    pub async fn send(self) -> Result<Reply, CallError> {
        let (remote, call) = self
            .ask(false, |engine, now, ask| {
                let call = engine.peer.call(now, ask)?;
                engine.waiters.begin(call);
                Ok(call)
            })
            .await?;
        Ok(Reply::new(remote, call))
    }

    async fn ask<T>(
        self,
        stream: bool,
        send: impl Fn(&mut Engine, Moment, Ask) -> Result<T, CallError>,
    ) -> Result<(Arc<Remote>, T), CallError> {
        let remote = self.remote?;
        let raised = PRIORITY.try_with(|priority| *priority);
        let priority = self.priority.max(raised.unwrap_or(Priority::LOWEST));
        let ask = Ask {
            service: self.service,
            op: self.op,
            priority,
            deadline: self.within.map(|within| remote.shared.now() + within),
            body: self.body,
            stream,
        };
        let lane = if stream {
            Lane::Bulk
        } else {
            Lane::Calls(priority)
        };
        let mut waited = false;
        loop {
            let sent = remote.tell(|engine, now| {
                send(engine, now, ask.clone()).map_err(|error| {
                    let room = matches!(error, CallError::Throttled);
                    (error, room.then(|| engine.wait_for_room(lane, ask.service)))
                })
            });
            let room = match sent {
                Err((CallError::Throttled, Some(room))) if self.wait => room,
                sent => {
                    if waited {
                        // The next of those that wait may find room too, or the node gone.
                        remote.look(|engine| {
                            engine.wait_for_room(lane, ask.service).notify_one();
                        });
                    }
                    return sent.map(|sent| (remote, sent)).map_err(|(error, _)| error);
                }
            };
            waited = true;
            match ask.deadline {
                None => room.notified().await,
                Some(deadline) => {
                    let at = remote.shared.start + deadline;
                    if tokio::time::timeout_at(at.into(), room.notified())
                        .await
                        .is_err()
                    {
                        return Err(CallError::Deadline);
                    }
                }
            }
        }
    }
}

impl IntoFuture for Calling {
    type Output = Result<Bytes, CallError>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move { self.send().await?.wait().await })
    }
}

/// Waits for the reply to a call. Dropping it cancels the call.
pub struct Reply {
    remote: Arc<Remote>,
    call: CallId,
    done: bool,
}

impl Reply {
    const fn new(remote: Arc<Remote>, call: CallId) -> Self {
        Self {
            remote,
            call,
            done: false,
        }
    }

    /// The reply.
    ///
    /// # Errors
    /// There is none, and why.
    pub async fn wait(mut self) -> Result<Bytes, CallError> {
        let (remote, call) = (&self.remote, self.call);
        let until = remote.look(|engine| engine.eager_until(remote.shared.now()));
        while until.is_some_and(|until| remote.shared.now() < until)
            && !remote.look(|engine| engine.waiters.is_over(call))
        {
            tokio::task::yield_now().await;
        }
        let said = poll_fn(|cx| remote.look(|engine| engine.waiters.poll(call, cx))).await;
        self.done = true;
        said
    }
}

impl Drop for Reply {
    fn drop(&mut self) {
        if !self.done {
            self.remote.tell(|engine, now| {
                engine.waiters.forget(self.call);
                engine.peer.cancel(now, self.call);
            });
        }
    }
}
