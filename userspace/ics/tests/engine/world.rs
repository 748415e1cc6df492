//! Nodes, the pipes between them, and what their handlers do.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use bytes::Bytes;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use ssi_ics::core::frame::{Decoder, Hello, Security};
use ssi_ics::core::peer::{Action, Ask, Blocked, CallId, Conn, Limits};
use ssi_ics::core::{CallError, Lane, Moment, Peer, Priority};

use crate::handlers::Handler;

/// A call that was made: its own number, and how it ended.
#[derive(Clone, Debug)]
pub(crate) struct Made {
    pub(crate) number: u64,
    pub(crate) done: Option<Result<Bytes, CallError>>,
}

/// A stream that is being sent.
struct Source {
    call: (u16, u16, CallId),
    left: Bytes,
}

/// One direction of a connection.
struct Pipe {
    conn: Conn,
    bytes: VecDeque<u8>,
    decoder: Decoder,
}

#[derive(Default)]
pub(crate) struct Node {
    pub(crate) peers: BTreeMap<u16, Peer>,
    pub(crate) handlers: Vec<Handler>,
    pub(crate) dispatched: BTreeMap<u64, u32>,
    /// How often its daemon was restarted.
    pub(crate) restarts: u64,
}

pub(crate) struct World {
    pub(crate) rng: StdRng,
    pub(crate) now: Moment,
    pub(crate) nodes: BTreeMap<u16, Node>,
    /// By who speaks, who listens, and the lane; a connection has two.
    pipes: BTreeMap<(u16, u16, u8), Pipe>,
    pub(crate) made: BTreeMap<(u16, u16, CallId), Made>,
    sources: Vec<Source>,
    next: u64,
    limits: Limits,
    pub(crate) pipe_bytes: usize,
    pub(crate) handlers_answer: bool,
}

const FIRST: Priority = Priority::LOWEST;

/// What a daemon has of another node after so many restarts.
fn engine(other: u16, restarts: u64, limits: Limits) -> Peer {
    let mut peer = Peer::new(other, limits);
    peer.nodeup(1, 1, restarts + 1);
    peer
}

impl World {
    pub(crate) fn new(seed: u64, nodes: u16, limits: Limits) -> Self {
        let mut world = Self {
            rng: StdRng::seed_from_u64(seed),
            now: Duration::from_secs(1),
            nodes: BTreeMap::new(),
            pipes: BTreeMap::new(),
            made: BTreeMap::new(),
            sources: Vec::new(),
            next: 1,
            limits,
            pipe_bytes: 4096,
            handlers_answer: true,
        };
        for number in 1..=nodes {
            let mut node = Node::default();
            for other in (1..=nodes).filter(|other| *other != number) {
                node.peers.insert(other, engine(other, 0, limits));
            }
            world.nodes.insert(number, node);
        }
        world
    }

    pub(crate) fn peer(&mut self, node: u16, other: u16) -> &mut Peer {
        self.nodes
            .get_mut(&node)
            .and_then(|node| node.peers.get_mut(&other))
            .expect("a node of this world")
    }

    pub(crate) fn call(
        &mut self,
        from: u16,
        to: u16,
        priority: Priority,
        depth: u8,
        deadline: Option<Duration>,
        stream: Option<usize>,
    ) -> Result<CallId, CallError> {
        let number = self.next;
        let mut body = number.to_le_bytes().to_vec();
        body.push(depth);
        body.resize(body.len() + self.rng.random_range(0..100), 0);
        let ask = Ask {
            service: 7,
            op: 1,
            priority,
            deadline: deadline.map(|after| self.now + after),
            body: body.into(),
            stream: stream.is_some(),
        };
        let now = self.now;
        let call = self.peer(from, to).call(now, ask)?;
        self.next += 1;
        let made = Made { number, done: None };
        self.made.insert((from, to, call), made);
        if let Some(length) = stream {
            let left = (0..length).map(|at| at as u8 ^ number as u8).collect();
            let call = (from, to, call);
            self.sources.push(Source { call, left });
        }
        self.act(from, to);
        Ok(call)
    }

    pub(crate) fn connect(&mut self, a: u16, b: u16, lane: Lane) {
        if self.pipes.contains_key(&(a, b, lane.number())) {
            return;
        }
        let (of_a, of_b) = (self.hello(a, b, lane), self.hello(b, a, lane));
        let (Some(of_a), Some(of_b)) = (of_a, of_b) else {
            return;
        };
        for (node, other, theirs) in [(a, b, of_b), (b, a, of_a)] {
            let now = self.now;
            let conn = self.peer(node, other).connected(now, &theirs).unwrap();
            let pipe = Pipe {
                conn,
                bytes: VecDeque::new(),
                decoder: Decoder::new(lane),
            };
            self.pipes.insert((node, other, lane.number()), pipe);
        }
        self.act(a, b);
        self.act(b, a);
    }

    /// The end that listens has heard both hellos, and its second is lost with the connection.
    pub(crate) fn half_connect(&mut self, a: u16, b: u16, lane: Lane) {
        if self.pipes.contains_key(&(a, b, lane.number())) {
            return;
        }
        if let (Some(of_a), Some(_)) = (self.hello(a, b, lane), self.hello(b, a, lane)) {
            let now = self.now;
            self.peer(b, a).connected(now, &of_a).unwrap();
            self.act(b, a);
        }
    }

    /// The second hello of a node that gives the lane's connection up for another.
    pub(crate) fn hello(&mut self, node: u16, other: u16, lane: Lane) -> Option<Hello> {
        let theirs = self.peer(other, node).number()?;
        let limits = self.limits;
        let peer = self.peer(node, other);
        peer.detach(lane);
        Some(Hello {
            node,
            incarnation: 1,
            to: other,
            to_incarnation: 1,
            lane,
            security: Security::None,
            cluster: [0; 16],
            session: peer.number()?,
            received: peer.received_on(lane, theirs),
            window: limits.window,
            chunks: limits.chunks,
            nonce: [0; 16],
        })
    }

    pub(crate) fn connect_all(&mut self) {
        let numbers: Vec<u16> = self.nodes.keys().copied().collect();
        for a in &numbers {
            for b in numbers.iter().filter(|b| *b > a) {
                for lane in Lane::ALL {
                    self.connect(*a, *b, lane);
                }
            }
        }
    }

    /// A node's daemon is restarted: its own calls and handlers are lost, and its ends of all
    /// connections. `told` says whether the other end of one hears of that at once.
    pub(crate) fn restart(&mut self, node: u16, mut told: impl FnMut() -> bool) {
        let limits = self.limits;
        self.made.retain(|(from, ..), _| *from != node);
        self.sources.retain(|source| source.call.0 != node);
        let here = self.nodes.get_mut(&node).expect("a node of this world");
        here.restarts += 1;
        here.handlers.clear();
        for (other, peer) in &mut here.peers {
            *peer = engine(*other, here.restarts, limits);
        }
        let keys: Vec<_> = self.pipes.keys().copied().collect();
        for (from, to, lane) in keys {
            if from == node {
                self.pipes.remove(&(from, to, lane));
            } else if to == node
                && let Some(pipe) = self.pipes.remove(&(from, to, lane))
                && told()
            {
                self.peer(from, to).disconnected(pipe.conn);
            }
        }
    }

    /// Loses a connection and all that is in it.
    pub(crate) fn cut(&mut self, a: u16, b: u16, lane: u8) {
        for (from, to) in [(a, b), (b, a)] {
            if let Some(pipe) = self.pipes.remove(&(from, to, lane)) {
                self.peer(from, to).disconnected(pipe.conn);
            }
        }
    }

    /// What comes out of a connection after it is useless must not matter: feeds what is in
    /// the pipe from `from` after it was cut.
    pub(crate) fn cut_but_deliver(&mut self, from: u16, to: u16, lane: u8) {
        let Some(mut pipe) = self.pipes.remove(&(from, to, lane)) else {
            return;
        };
        let Some(back) = self.pipes.remove(&(to, from, lane)) else {
            return;
        };
        self.peer(from, to).disconnected(pipe.conn);
        self.peer(to, from).disconnected(back.conn);
        let now = self.now;
        let bytes: Vec<u8> = pipe.bytes.drain(..).collect();
        pipe.decoder.buffer().extend_from_slice(&bytes);
        while let Ok(Some(frame)) = pipe.decoder.next_frame() {
            self.peer(to, from).received(now, back.conn, frame);
        }
        self.act(to, from);
    }

    /// Something small happens somewhere.
    pub(crate) fn step(&mut self) {
        let keys: Vec<_> = self.pipes.keys().copied().collect();
        if !keys.is_empty() {
            for _ in 0..4 {
                let key = keys[self.rng.random_range(0..keys.len())];
                self.write(key);
                let key = keys[self.rng.random_range(0..keys.len())];
                self.read(key);
            }
        }
        self.send_streams();
        let numbers: Vec<u16> = self.nodes.keys().copied().collect();
        let node = numbers[self.rng.random_range(0..numbers.len())];
        self.handle(node);
        self.now += Duration::from_micros(self.rng.random_range(0..2000));
        for other in numbers.into_iter().filter(|other| *other != node) {
            let now = self.now;
            self.peer(node, other).tick(now);
            self.act(node, other);
        }
    }

    /// Steps until every call is complete, or so many.
    pub(crate) fn settle(&mut self, most: usize) {
        for _ in 0..most {
            if self.made.values().all(|made| made.done.is_some()) {
                return;
            }
            self.step();
        }
        let open: Vec<_> = self.made.iter().filter(|(_, m)| m.done.is_none()).collect();
        panic!("{} calls never complete, such as {:?}", open.len(), open[0]);
    }

    fn write(&mut self, key: (u16, u16, u8)) {
        let (now, most) = (self.now, self.pipe_bytes);
        let Some(pipe) = self.pipes.get(&key) else {
            return;
        };
        let (conn, full) = (pipe.conn, pipe.bytes.len() >= most);
        if full {
            return;
        }
        let taken = self.peer(key.0, key.1).take(now, conn);
        if let Some((header, body)) = taken.map(|(header, body)| (header, body.clone()))
            && let Some(pipe) = self.pipes.get_mut(&key)
        {
            pipe.bytes.extend(header.encode(body.len()));
            pipe.bytes.extend(&body);
        }
    }

    fn read(&mut self, key: (u16, u16, u8)) {
        let now = self.now;
        let most = self.rng.random_range(1..400_000);
        let back = (key.1, key.0, key.2);
        let Some(conn) = self.pipes.get(&back).map(|pipe| pipe.conn) else {
            return;
        };
        let Some(pipe) = self.pipes.get_mut(&key) else {
            return;
        };
        let count = pipe.bytes.len().min(most);
        let bytes: Vec<u8> = pipe.bytes.drain(..count).collect();
        pipe.decoder.buffer().extend_from_slice(&bytes);
        let mut frames = Vec::new();
        while let Some(frame) = pipe.decoder.next_frame().expect("nobody garbles") {
            frames.push(frame);
        }
        for frame in frames {
            self.peer(key.1, key.0).received(now, conn, frame);
            self.act(key.1, key.0);
        }
    }

    fn send_streams(&mut self) {
        let mut sources = std::mem::take(&mut self.sources);
        sources.retain_mut(|source| {
            let (from, to, call) = source.call;
            let peer = self.peer(from, to);
            let sent = if source.left.is_empty() {
                peer.stream_end(call).map(|()| false)
            } else {
                peer.stream_data(call, &mut source.left).map(|()| true)
            };
            self.act(from, to);
            sent.unwrap_or_else(|blocked| blocked == Blocked::Full)
        });
        self.sources = sources;
    }

    /// Does what an engine wants done.
    pub(crate) fn act(&mut self, node: u16, other: u16) {
        while let Some(action) = self.peer(node, other).poll_action() {
            match action {
                Action::Write(_) | Action::Writable(_) | Action::WakeThrottled(..) => {}
                Action::Complete { call, result, .. } => {
                    let made = self.made.get_mut(&(node, other, call)).expect("made");
                    assert!(made.done.is_none(), "completed twice: {made:?}");
                    if let Ok(body) = &result {
                        assert_eq!(body[..8], made.number.to_le_bytes(), "another's reply");
                        let right =
                            |(at, byte): (usize, &u8)| *byte == at as u8 ^ made.number as u8;
                        assert!(body[8..].iter().enumerate().all(right), "garbled stream");
                    }
                    made.done = Some(result);
                }
                Action::CompleteAll(error) => {
                    let made = self.made.iter_mut();
                    let theirs = made.filter(|((from, to, _), _)| (*from, *to) == (node, other));
                    for (_, made) in theirs.filter(|(_, made)| made.done.is_none()) {
                        made.done = Some(Err(error.clone()));
                    }
                }
                Action::Dispatch(dispatch) => self.dispatched(node, other, dispatch),
                Action::CancelHandler(token) => self.cancelled(node, other, token),
                Action::Data(token, bytes) => {
                    let use_up = self.handlers_answer;
                    let handler = self.handler(node, other, token);
                    handler.stream.extend(&bytes);
                    if use_up {
                        self.peer(node, other).consumed(token);
                    }
                }
                Action::DataEnd(token) => self.handler(node, other, token).complete = true,
                Action::Close(conn, _) => {
                    let key = (node, other, conn.lane.number());
                    if self.pipes.get(&key).is_some_and(|pipe| pipe.conn == conn) {
                        self.cut(node, other, conn.lane.number());
                    }
                }
            }
        }
    }

    /// A call of priority 0 that is as likely as not to be refused.
    pub(crate) fn random_call(&mut self, depth: u8) {
        let count = self.nodes.len() as u16;
        let from = self.rng.random_range(1..=count);
        let to = (from + self.rng.random_range(0..count - 1)) % count + 1;
        let deadline = self.rng.random_bool(0.3).then(|| {
            let millis = self.rng.random_range(1..500);
            Duration::from_millis(millis)
        });
        let stream = self.rng.random_bool(0.1);
        let length = stream.then(|| self.rng.random_range(0..300_000));
        let depth = self.rng.random_range(0..=depth);
        let depth = if stream { 0 } else { depth };
        match self.call(from, to, FIRST, depth, deadline, length) {
            Ok(_) | Err(CallError::Throttled) => {}
            Err(other) => panic!("{other}"),
        }
    }

    /// A random connection, by who speaks, who listens, and the lane.
    pub(crate) fn random_pipe(&mut self) -> Option<(u16, u16, u8)> {
        let keys: Vec<_> = self.pipes.keys().copied().collect();
        (!keys.is_empty()).then(|| keys[self.rng.random_range(0..keys.len())])
    }
}
