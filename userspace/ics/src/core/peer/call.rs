//! The caller's side: calls, their streams, and how they end.

use bytes::Bytes;

use super::{Action, CallId, Peer};
use crate::core::credit::Waiting;
use crate::core::frame::{CHUNK, Frame, Header, Kind, LARGEST, flag};
use crate::core::pending::{Call, Stream};
use crate::core::{CallError, Lane, Moment, Priority, Service};

/// What a service is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ask {
    /// Which service.
    pub service: Service,
    /// What for; its meaning is the service's.
    pub op: u16,
    /// How urgent it is.
    pub priority: Priority,
    /// When the caller stops waiting.
    pub deadline: Option<Moment>,
    /// What goes along, at most [`LARGEST`] bytes.
    pub body: Bytes,
    /// Whether a stream follows, on the bulk lane.
    pub stream: bool,
}

/// Why a chunk did not go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blocked {
    /// The other end has enough for now; [`Action::Writable`] will say when it hasn't.
    Full,
    /// The call is complete, or its stream has ended.
    Over,
}

impl Peer {
    /// Makes a call. [`Action::Complete`] will name it exactly once.
    ///
    /// # Errors
    /// The node is down, the body too large, or too many calls wait already. Then there is
    /// no call.
    pub fn call(&mut self, now: Moment, ask: Ask) -> Result<CallId, CallError> {
        let (deadline, stream) = (ask.deadline, ask.stream);
        let (service, request) = (ask.service, self.next_call);
        if deadline.is_some_and(|deadline| deadline <= now) {
            return Err(CallError::Deadline);
        }
        let lane = self.ask(ask, Kind::Call)?;
        if let Some(session) = &mut self.session {
            let call = Call {
                lane,
                service,
                deadline,
                stream: stream.then(Stream::default),
                sent: None,
            };
            session.pending.insert(request, call);
        }
        self.release(now, lane);
        Ok(CallId(request))
    }

    /// Makes a call that wants no reply. It is dispatched once while both nodes live and
    /// neither's daemon is restarted; there is no word of it otherwise. Neither a deadline
    /// nor a stream goes with it.
    ///
    /// # Errors
    /// As for [`call`](Self::call).
    pub fn one_way(&mut self, now: Moment, ask: Ask) -> Result<(), CallError> {
        let ask = Ask {
            deadline: None,
            stream: false,
            ..ask
        };
        let lane = self.ask(ask, Kind::OneWay)?;
        self.release(now, lane);
        Ok(())
    }

    /// Whether a call would be refused, because too many wait already.
    #[must_use]
    pub fn would_throttle(&self, service: Service, priority: Priority) -> bool {
        self.session
            .as_ref()
            .is_some_and(|session| session.credits.is_full(Lane::Calls(priority), service, 0))
    }

    fn ask(&mut self, ask: Ask, kind: Kind) -> Result<Lane, CallError> {
        let (node, epoch) = (self.node, self.down);
        let Some(session) = &mut self.session else {
            return Err(CallError::NodeDown { node, epoch });
        };
        if ask.body.len() > LARGEST {
            return Err(CallError::TooLarge(ask.body.len()));
        }
        let lane = if ask.stream {
            Lane::Bulk
        } else {
            Lane::Calls(ask.priority)
        };
        let frame = Frame {
            header: Header {
                priority: ask.priority,
                flags: if ask.stream { flag::STREAM } else { 0 },
                service: ask.service,
                op: ask.op,
                request: self.next_call,
                ..Header::new(kind, lane)
            },
            body: ask.body,
        };
        let deadline = ask.deadline;
        let waiting = Waiting { frame, deadline };
        if session.credits.wait(lane, waiting).is_err() {
            self.stats.throttled += 1;
            self.stats.lanes[lane.index()].throttled += 1;
            return Err(CallError::Throttled);
        }
        self.next_call += 1;
        Ok(lane)
    }

    /// Gives a lane the calls for which there is credit and room.
    pub(super) fn release(&mut self, now: Moment, lane: Lane) {
        let Some(session) = &mut self.session else {
            return;
        };
        while session.lanes[lane.index()].out.bytes() < self.limits.lane_bytes
            && let Some((Waiting { frame, deadline }, wake)) = session.credits.next(lane)
        {
            let (service, request) = (frame.header.service, frame.header.request);
            session.push(frame, deadline, &mut self.actions);
            if let Some(call) = session.pending.get_mut(request) {
                call.sent = Some(now);
                if let Some(stream) = &mut call.stream {
                    stream.chunks = session.chunks;
                    self.actions.push_back(Action::Writable(CallId(request)));
                }
            }
            if wake {
                self.actions.push_back(Action::WakeThrottled(lane, service));
            }
        }
    }

    /// Sends a chunk of a call's stream, at most [`CHUNK`] bytes of what `data` has, which
    /// it takes from there.
    ///
    /// # Errors
    /// It can't go now, or never; `data` is as it was.
    pub fn stream_data(&mut self, call: CallId, data: &mut Bytes) -> Result<(), Blocked> {
        let session = self.session.as_mut().ok_or(Blocked::Over)?;
        let pending = session.pending.get_mut(call.0).ok_or(Blocked::Over)?;
        let stream = pending.stream.as_mut().ok_or(Blocked::Over)?;
        if stream.ended {
            return Err(Blocked::Over);
        }
        if stream.chunks == 0 {
            stream.blocked = true;
            return Err(Blocked::Full);
        }
        stream.chunks -= 1;
        let frame = Frame {
            header: Header {
                request: call.0,
                ..Header::new(Kind::Data, Lane::Bulk)
            },
            body: data.split_to(data.len().min(CHUNK)),
        };
        session.push(frame, None, &mut self.actions);
        Ok(())
    }

    /// Ends a call's stream.
    ///
    /// # Errors
    /// The call still waits for credit, or is complete.
    pub fn stream_end(&mut self, call: CallId) -> Result<(), Blocked> {
        let session = self.session.as_mut().ok_or(Blocked::Over)?;
        let pending = session.pending.get_mut(call.0).ok_or(Blocked::Over)?;
        let sent = pending.sent.is_some();
        let stream = pending.stream.as_mut().ok_or(Blocked::Over)?;
        if stream.ended {
            return Err(Blocked::Over);
        }
        if !sent {
            stream.blocked = true;
            return Err(Blocked::Full);
        }
        stream.ended = true;
        let header = Header {
            request: call.0,
            ..Header::new(Kind::DataEnd, Lane::Bulk)
        };
        let body = Bytes::new();
        session.push(Frame { header, body }, None, &mut self.actions);
        Ok(())
    }

    /// Gives a call up. It completes at once; its handler is told, if it ever came so far.
    pub fn cancel(&mut self, now: Moment, call: CallId) {
        self.give_up(now, call.0, CallError::Cancelled);
    }

    pub(super) fn end_overdue(&mut self, now: Moment) {
        while let Some(request) = self
            .session
            .as_ref()
            .and_then(|session| session.pending.overdue(now))
        {
            self.give_up(now, request, CallError::Deadline);
        }
    }

    fn give_up(&mut self, now: Moment, request: u64, why: CallError) {
        let Some(session) = &mut self.session else {
            return;
        };
        let Some(call) = session.pending.remove(request) else {
            return;
        };
        if call.sent.is_none() {
            let wake = session.credits.withdraw(call.lane, call.service, request);
            if wake == Some(true) {
                let wake = Action::WakeThrottled(call.lane, call.service);
                self.actions.push_back(wake);
            }
        } else {
            let withdrawn = session.lanes[call.lane.index()].out.withdraw(request);
            if withdrawn
                .iter()
                .any(|frame| frame.header.kind == Kind::Call)
            {
                // The window is this end's own count here, so it fits.
                let _ = session.credits.give_back(call.lane, call.service, 1);
            } else {
                let header = Header {
                    request,
                    ..Header::new(Kind::Cancel, call.lane)
                };
                let body = Bytes::new();
                session.push(Frame { header, body }, None, &mut self.actions);
            }
        }
        self.actions.push_back(Action::Complete {
            call: CallId(request),
            result: Err(why),
            round_trip: None,
        });
        self.release(now, call.lane);
    }
}
