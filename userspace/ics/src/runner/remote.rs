//! One other node: its engine, who waits for what, and its connections.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use hdrhistogram::Histogram;
use rustc_hash::FxHashMap;
use smallvec::SmallVec;
use tokio::sync::{Notify, mpsc};

use super::eager::Eager;
use super::handler::{Cancelled, Request};
use super::ics::Shared;
use super::stream::{Piece, StreamIn};
use super::waiters::Waiters;
use super::write::Writer;
use crate::core::peer::{Action, CallId, Conn, Dispatch, Token};
use crate::core::{Failure, Lane, Moment, Node, Peer, Service};

/// Locks what is consistent between any two statements, so that a panic elsewhere while it
/// was held does no harm.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// One other node.
pub(super) struct Remote {
    pub(super) node: Node,
    pub(super) shared: Arc<Shared>,
    engine: Mutex<Engine>,
    /// The engine wants to be ticked earlier than it did.
    pub(super) sooner: Notify,
}

/// The engine and who waits for it.
pub(super) struct Engine {
    pub(super) peer: Peer,
    pub(super) waiters: Waiters,
    writable: FxHashMap<CallId, Arc<Notify>>,
    room: HashMap<(Lane, Service), Arc<Notify>>,
    handlers: HashMap<Token, Working>,
    links: [Option<Link>; Lane::COUNT],
    /// When the lanes' connections came, or went.
    pub(super) since: [Moment; Lane::COUNT],
    pub(super) round_trips: [Option<Histogram<u64>>; Lane::COUNT],
    eager: Eager,
    /// When the ticker will tick.
    armed: Moment,
}

/// A handler at work.
struct Working {
    cancelled: Cancelled,
    stream: Option<mpsc::UnboundedSender<Piece>>,
}

/// A connection that the engine knows.
pub(super) struct Link {
    pub(super) writer: Arc<Writer>,
    pub(super) close: Arc<Notify>,
}

/// What has to be done once the engine is unlocked.
enum Todo {
    Write(Arc<Writer>),
    Run(Dispatch, Cancelled, Option<mpsc::UnboundedReceiver<Piece>>),
}

/// There is seldom more than one thing.
type Todos = SmallVec<[Todo; 1]>;

impl Remote {
    pub(super) fn new(node: Node, shared: Arc<Shared>) -> Self {
        let peer = Peer::new(node, shared.config.limits);
        let now = shared.now();
        Self {
            node,
            shared,
            engine: Mutex::new(Engine {
                peer,
                waiters: Waiters::default(),
                writable: FxHashMap::default(),
                room: HashMap::new(),
                handlers: HashMap::new(),
                links: Default::default(),
                since: [now; Lane::COUNT],
                round_trips: Default::default(),
                eager: Eager::default(),
                armed: Moment::MAX,
            }),
            sooner: Notify::new(),
        }
    }

    /// Tells the engine something, and does what it wants done.
    pub(super) fn tell<T>(self: &Arc<Self>, what: impl FnOnce(&mut Engine, Moment) -> T) -> T {
        let mut todo = Todos::new();
        let now = self.shared.now();
        let result = {
            let mut engine = lock(&self.engine);
            let result = what(&mut engine, now);
            engine.drain(now, &mut todo);
            if let Some(next) = engine.peer.next_tick()
                && next < engine.armed
            {
                engine.armed = next;
                self.sooner.notify_one();
            }
            result
        };
        for todo in todo {
            match todo {
                Todo::Write(writer) => writer.try_pump(self, now),
                Todo::Run(dispatch, cancelled, pieces) => self.run(dispatch, cancelled, pieces),
            }
        }
        result
    }

    /// Only looks.
    pub(super) fn look<T>(&self, what: impl FnOnce(&mut Engine) -> T) -> T {
        what(&mut lock(&self.engine))
    }

    /// Ticks the engine whenever it has to be.
    pub(super) async fn tick(self: Arc<Self>) {
        loop {
            let next = self.tell(|engine, now| {
                engine.peer.tick(now);
                engine.armed = engine.peer.next_tick().unwrap_or(Moment::MAX);
                engine.armed
            });
            if next == Moment::MAX {
                self.sooner.notified().await;
                continue;
            }
            let at = self.shared.start + next;
            let sleep = tokio::time::sleep_until(at.into());
            tokio::select! {
                () = sleep => {}
                () = self.sooner.notified() => {}
            }
        }
    }

    /// Runs a handler. What it can do at once is done right here, which spares most calls a
    /// task of their own; the rest becomes one.
    fn run(
        self: &Arc<Self>,
        dispatch: Dispatch,
        cancelled: Cancelled,
        pieces: Option<mpsc::UnboundedReceiver<Piece>>,
    ) {
        let token = dispatch.token;
        if cancelled.is_set() {
            // The node has gone while this call waited for its turn.
            self.done(token, Err(Failure::Cancelled));
            return;
        }
        let Some(handler) = self.shared.handler(dispatch.service) else {
            self.done(token, Err(Failure::NoService));
            return;
        };
        let start = self.shared.start;
        let request = Request {
            from: self.node,
            op: dispatch.op,
            priority: dispatch.priority,
            epoch: dispatch.epoch,
            deadline: dispatch.deadline.map(|deadline| start + deadline),
            one_way: dispatch.one_way,
            body: dispatch.body,
            stream: pieces
                .map(|pieces| StreamIn::new(Arc::clone(self), token, pieces, cancelled.clone())),
            cancelled,
        };
        let lane = if request.stream.is_some() {
            Lane::Bulk
        } else {
            Lane::Calls(request.priority)
        };
        let mut cx = Context::from_waker(Waker::noop());
        // A handler that panics is no reason to lose the connection that this runs for.
        let polled = catch_unwind(AssertUnwindSafe(|| {
            let mut work = handler(request);
            match work.as_mut().poll(&mut cx) {
                Poll::Ready(result) => Ok(result),
                Poll::Pending => Err(work),
            }
        }));
        match polled {
            Err(_) => self.done(token, Err(broke_off())),
            Ok(Ok(result)) => self.done(token, result),
            Ok(Err(work)) => {
                let remote = Arc::clone(self);
                self.shared.spawn_for(lane, async move {
                    let guard = Unfinished(Some((Arc::clone(&remote), token)));
                    let result = work.await;
                    guard.finish(result);
                });
            }
        }
    }

    fn done(self: &Arc<Self>, token: Token, result: Result<Bytes, Failure>) {
        self.tell(|engine, _| {
            engine.handlers.remove(&token);
            engine.peer.reply(token, result);
        });
    }
}

/// A handler whose task may panic: then it has failed.
struct Unfinished(Option<(Arc<Remote>, Token)>);

impl Unfinished {
    fn finish(mut self, result: Result<Bytes, Failure>) {
        if let Some((remote, token)) = self.0.take() {
            remote.done(token, result);
        }
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        if let Some((remote, token)) = self.0.take() {
            remote.done(token, Err(broke_off()));
        }
    }
}

fn broke_off() -> Failure {
    Failure::Other("the handler broke off".into())
}

impl Engine {
    pub(super) fn wait_for_room(&mut self, lane: Lane, service: Service) -> Arc<Notify> {
        Arc::clone(self.room.entry((lane, service)).or_default())
    }

    pub(super) fn wait_for_stream(&mut self, call: CallId) -> Arc<Notify> {
        Arc::clone(self.writable.entry(call).or_default())
    }

    /// Wakes whom the engine's actions are for; what needs the engine itself is left to do.
    fn drain(&mut self, now: Moment, todo: &mut Todos) {
        while let Some(action) = self.peer.poll_action() {
            match action {
                Action::Write(conn) => {
                    if let Some(link) = self.link(conn) {
                        todo.push(Todo::Write(Arc::clone(&link.writer)));
                    }
                }
                Action::Complete {
                    call,
                    result,
                    round_trip,
                } => {
                    if let Some((lane, took)) = round_trip {
                        self.count(lane, took);
                    }
                    if !self.writable.is_empty()
                        && let Some(writable) = self.writable.remove(&call)
                    {
                        writable.notify_one();
                    }
                    self.waiters.complete(call, result);
                }
                Action::CompleteAll(error) => {
                    for (_, writable) in self.writable.drain() {
                        writable.notify_one();
                    }
                    self.waiters.complete_all(&error);
                }
                Action::Dispatch(dispatch) => {
                    let cancelled = Cancelled::default();
                    let (sender, receiver) = if dispatch.stream {
                        let (sender, receiver) = mpsc::unbounded_channel();
                        (Some(sender), Some(receiver))
                    } else {
                        (None, None)
                    };
                    let working = Working {
                        cancelled: cancelled.clone(),
                        stream: sender,
                    };
                    self.handlers.insert(dispatch.token, working);
                    todo.push(Todo::Run(dispatch, cancelled, receiver));
                }
                Action::CancelHandler(token) => {
                    if let Some(working) = self.handlers.get_mut(&token) {
                        working.cancelled.set();
                        working.stream = None;
                    }
                }
                Action::Data(token, bytes) => self.piece(token, Piece::Data(bytes)),
                Action::DataEnd(token) => self.piece(token, Piece::End),
                Action::Writable(call) => {
                    if let Some(writable) = self.writable.get(&call) {
                        writable.notify_one();
                    }
                }
                Action::WakeThrottled(lane, service) => {
                    if let Some(room) = self.room.get(&(lane, service)) {
                        room.notify_one();
                    }
                }
                Action::Close(conn, _) => {
                    if let Some(link) = self.link(conn) {
                        link.close.notify_one();
                        self.set_link(conn.lane, None, now);
                    }
                }
            }
        }
    }

    fn link(&self, conn: Conn) -> Option<&Link> {
        let link = self.links[conn.lane.index()].as_ref()?;
        (link.writer.conn == conn).then_some(link)
    }

    /// A connection is at work, if the engine still wants it.
    pub(super) fn join(&mut self, conn: Conn, link: Link, now: Moment) -> bool {
        let wanted = self.peer.is_connected(conn);
        if wanted {
            self.set_link(conn.lane, Some(link), now);
        }
        wanted
    }

    /// A connection is over.
    pub(super) fn unlink(&mut self, conn: Conn, now: Moment) {
        if self.link(conn).is_some() {
            self.set_link(conn.lane, None, now);
        }
        self.peer.disconnected(conn);
    }

    fn set_link(&mut self, lane: Lane, link: Option<Link>, now: Moment) {
        self.links[lane.index()] = link;
        self.since[lane.index()] = now;
    }

    fn piece(&mut self, token: Token, piece: Piece) {
        if let Some(working) = self.handlers.get(&token)
            && let Some(stream) = &working.stream
        {
            // A handler that has dropped its end wants no more.
            let _ = stream.send(piece);
        }
    }

    /// Until when to look again and again for the reply to a call that goes now, if nobody
    /// waits for another.
    pub(super) fn eager_until(&self, now: Moment) -> Option<Moment> {
        let alone = self.peer.pending() == 1;
        self.eager.until(now).filter(|_| alone)
    }

    fn count(&mut self, lane: Lane, took: std::time::Duration) {
        if lane != Lane::Bulk {
            self.eager.took(took);
        }
        let place = &mut self.round_trips[lane.index()];
        if place.is_none() {
            *place = Histogram::new(2).ok();
        }
        if let Some(histogram) = place {
            let nanos = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
            // It grows as it has to, and fails only where there is no memory for that.
            let _ = histogram.record(nanos.max(1));
        }
    }
}
