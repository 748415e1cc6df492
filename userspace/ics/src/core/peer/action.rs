//! What the engine wants done.

use std::time::Duration;

use bytes::Bytes;

use crate::core::{CallError, Epoch, Lane, Moment, Priority, Service};

/// A call that this node made. No two have the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CallId(pub u64);

/// A call that this node handles. No two have the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Token {
    /// The session it came in, by this end's count.
    pub(super) session: u64,
    /// The caller's number for it.
    pub(super) request: u64,
}

/// A connection, as long as it lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Conn {
    /// The lane it is of.
    pub lane: Lane,
    /// Tells the connections of a lane apart.
    pub(super) number: u64,
}

/// Why a connection has to be closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Reason {
    /// Another one took its place.
    #[error("another connection took its place")]
    Replaced,
    /// The view has the node no longer.
    #[error("the node is down")]
    NodeDown,
    /// The daemon at the other end was restarted.
    #[error("the daemon at the other end was restarted")]
    Restarted,
    /// The other end broke the protocol.
    #[error("the other end broke the protocol: {0}")]
    Protocol(&'static str),
}

/// Something that the runner is to do.
#[derive(Debug)]
pub enum Action {
    /// There is something to [`take`](super::Peer::take) for this connection. It is not
    /// said again before that has returned nothing.
    Write(Conn),
    /// A call is complete.
    Complete {
        /// Which.
        call: CallId,
        /// How.
        result: Result<Bytes, CallError>,
        /// From when it was given to its lane to when its reply came, if one came.
        round_trip: Option<(Lane, Duration)>,
    },
    /// Every call that was made and is not complete is, in this way: its session is over. There
    /// may be very many.
    CompleteAll(CallError),
    /// A call has to be handled.
    Dispatch(Dispatch),
    /// Nobody waits for this handler any more.
    CancelHandler(Token),
    /// A chunk of the stream of a call that is being handled. Once it is used up, the
    /// handler has to say so ([`consumed`](super::Peer::consumed)).
    Data(Token, Bytes),
    /// That stream is complete.
    DataEnd(Token),
    /// The stream of a call that this node made has room again.
    Writable(CallId),
    /// There is room again for calls to a service.
    WakeThrottled(Lane, Service),
    /// A connection has to be closed; the engine has forgotten it already.
    Close(Conn, Reason),
}

/// A call that has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dispatch {
    /// What the reply has to name.
    pub token: Token,
    /// Which service is called.
    pub service: Service,
    /// What it is asked for.
    pub op: u16,
    /// How urgent it is.
    pub priority: Priority,
    /// The epoch that the caller's view had.
    pub epoch: Epoch,
    /// What it brings.
    pub body: Bytes,
    /// When the caller stops waiting.
    pub deadline: Option<Moment>,
    /// Nobody waits for a reply; it has to be given nonetheless when the handler is done.
    pub one_way: bool,
    /// A stream follows.
    pub stream: bool,
}
