//! What comes from the other end.

use std::time::Duration;

use super::received::ACK_FRAMES;
use super::{Action, CallId, Conn, Dispatch, Peer, Reason};
use crate::core::frame::{Frame, Header, Kind, flag};
use crate::core::serving::{Incoming, Served};
use crate::core::{Failure, Lane, Moment};

impl Peer {
    /// A frame came over a connection.
    pub fn received(&mut self, now: Moment, conn: Conn, frame: Frame) {
        let bytes = frame.bytes();
        let session = self.session.as_mut();
        let Some(session) = session.filter(|session| session.has(conn)) else {
            self.stats.stale += 1;
            return;
        };
        let kept = frame.header.kind.is_kept();
        let enough = kept && session.count(now, conn.lane, bytes);
        let state = &mut session.lanes[conn.lane.index()];
        let possible = state.out.acknowledged(frame.header.ack);
        let count = &mut self.stats.lanes[conn.lane.index()];
        count.received_frames += 1;
        count.received_bytes += bytes as u64;
        if enough {
            session.tell(conn.lane, &mut self.actions);
        }
        let done = if possible {
            self.deliver(now, frame)
        } else {
            Err("it acknowledges what was not sent")
        };
        if let Err(what) = done {
            self.stats.broken += 1;
            self.disconnected(conn);
            let close = Action::Close(conn, Reason::Protocol(what));
            self.actions.push_back(close);
        }
        self.release(now, conn.lane);
    }

    fn deliver(&mut self, now: Moment, frame: Frame) -> Result<(), &'static str> {
        let header = frame.header;
        let right_lane = match header.kind {
            Kind::Reply | Kind::Failure | Kind::Credit => {
                header.lane == Lane::reply_to(header.priority)
            }
            Kind::Data | Kind::DataEnd => header.lane == Lane::Bulk,
            // Calls say more about theirs; what is left may come on any.
            _ => true,
        };
        if !right_lane {
            return Err("a frame on another lane than its own");
        }
        match header.kind {
            Kind::Call | Kind::OneWay => self.dispatch(now, frame),
            Kind::Reply | Kind::Failure => self.complete(now, frame),
            Kind::Credit if header.flags & flag::STREAM != 0 => self.more_chunks(&header),
            Kind::Credit => {
                let lane = Lane::Calls(header.priority);
                self.give_back(now, &header, lane, header.op)
            }
            Kind::Cancel => {
                let session = self.session.as_mut().ok_or("no session")?;
                if session.serving.get_mut(header.request).is_some() {
                    let token = session.token(header.request);
                    self.actions.push_back(Action::CancelHandler(token));
                }
                Ok(())
            }
            Kind::Data | Kind::DataEnd => self.stream(frame),
            Kind::Ack => Ok(()),
            Kind::Hello => Err("a second hello"),
        }
    }

    fn dispatch(&mut self, now: Moment, frame: Frame) -> Result<(), &'static str> {
        let header = frame.header;
        let stream = header.flags & flag::STREAM != 0;
        let one_way = header.kind == Kind::OneWay;
        let lane = if stream {
            Lane::Bulk
        } else {
            Lane::Calls(header.priority)
        };
        if lane != header.lane || (stream && one_way) {
            return Err("a call on another lane than its own");
        }
        let limits = self.limits;
        let session = self.session.as_mut().ok_or("no session")?;
        let left = Duration::from_millis(header.deadline_ms.into());
        let deadline = (header.deadline_ms != 0).then(|| now + left);
        let served = Served {
            lane,
            service: header.service,
            priority: header.priority,
            one_way,
            deadline,
            overdue: false,
            stream: stream.then_some(Incoming {
                chunks: limits.chunks,
                used: 0,
                ended: false,
            }),
        };
        let replies = session.lanes[Lane::reply_to(header.priority).index()]
            .out
            .len();
        if replies >= session.serving.most_replies(limits.window) + 2 * ACK_FRAMES as usize {
            return Err("it calls on and on, and takes no replies");
        }
        if !session
            .serving
            .insert(header.request, served, limits.window)
        {
            return Err("a call without credit, with a number in use, or to one service too many");
        }
        self.actions.push_back(Action::Dispatch(Dispatch {
            token: session.token(header.request),
            service: header.service,
            op: header.op,
            priority: header.priority,
            epoch: header.epoch,
            body: frame.body,
            deadline,
            one_way,
            stream,
        }));
        Ok(())
    }

    fn complete(&mut self, now: Moment, frame: Frame) -> Result<(), &'static str> {
        let header = frame.header;
        let lane = if header.flags & flag::STREAM != 0 {
            Lane::Bulk
        } else {
            Lane::Calls(header.priority)
        };
        self.give_back(now, &header, lane, 1)?;
        let session = self.session.as_mut().ok_or("no session")?;
        let Some(call) = session.pending.remove(header.request) else {
            self.stats.late += 1;
            return Ok(());
        };
        if call.stream.is_some() {
            // Nobody wants what the stream still has.
            session.lanes[lane.index()].out.withdraw(header.request);
        }
        self.actions.push_back(Action::Complete {
            call: CallId(header.request),
            result: match header.kind {
                Kind::Reply => Ok(frame.body),
                _ => Err(Failure::decode(&frame.body)),
            },
            round_trip: call.sent.map(|sent| (lane, now.saturating_sub(sent))),
        });
        Ok(())
    }

    fn give_back(
        &mut self,
        now: Moment,
        header: &Header,
        lane: Lane,
        count: u16,
    ) -> Result<(), &'static str> {
        let session = self.session.as_mut().ok_or("no session")?;
        if !session.credits.give_back(lane, header.service, count) {
            return Err("more credit than was taken");
        }
        self.release(now, lane);
        Ok(())
    }

    fn more_chunks(&mut self, header: &Header) -> Result<(), &'static str> {
        let session = self.session.as_mut().ok_or("no session")?;
        let most = session.chunks;
        let Some(stream) = session
            .pending
            .get_mut(header.request)
            .and_then(|call| call.stream.as_mut())
        else {
            self.stats.late += 1;
            return Ok(());
        };
        stream.chunks = stream
            .chunks
            .checked_add(header.op)
            .filter(|chunks| *chunks <= most)
            .ok_or("more chunks than its window")?;
        if std::mem::take(&mut stream.blocked) {
            let writable = Action::Writable(CallId(header.request));
            self.actions.push_back(writable);
        }
        Ok(())
    }

    fn stream(&mut self, frame: Frame) -> Result<(), &'static str> {
        let request = frame.header.request;
        let session = self.session.as_mut().ok_or("no session")?;
        let token = session.token(request);
        let stream = session
            .serving
            .get_mut(request)
            .and_then(|served| served.stream.as_mut());
        let Some(stream) = stream else {
            // The handler was done before the stream was.
            self.stats.late += 1;
            return Ok(());
        };
        if stream.ended {
            return Err("a stream goes on after its end");
        }
        if frame.header.kind == Kind::DataEnd {
            stream.ended = true;
            self.actions.push_back(Action::DataEnd(token));
            return Ok(());
        }
        stream.chunks = stream
            .chunks
            .checked_sub(1)
            .ok_or("more chunks than its window")?;
        self.actions.push_back(Action::Data(token, frame.body));
        Ok(())
    }
}
