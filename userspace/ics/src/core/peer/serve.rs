//! The callee's side: replies, and the credits of what was used up.

use bytes::Bytes;

use super::{Peer, Token};
use crate::core::frame::{Frame, Header, Kind, LARGEST, flag};
use crate::core::serving::Served;
use crate::core::{Failure, Lane};

impl Peer {
    /// A handler is done. Of a one-way call only that counts. The reply of a handler whose
    /// caller has gone is dropped.
    pub fn reply(&mut self, token: Token, result: Result<Bytes, Failure>) {
        let window = self.limits.window;
        let Some(session) = self.session_of(token) else {
            return;
        };
        let Some(served) = session.serving.remove(token.request) else {
            return;
        };
        let frame = if served.one_way {
            let Some(count) = session.serving.owed(served.lane, served.service, window) else {
                return;
            };
            let mut header = about(Kind::Credit, &served);
            header.op = count;
            Frame {
                header,
                body: Bytes::new(),
            }
        } else {
            let result = result.and_then(|body| {
                let fits = body.len() <= LARGEST;
                fits.then_some(body)
                    .ok_or_else(|| Failure::Other("the reply is larger than a frame".into()))
            });
            let (kind, body) = match result {
                Ok(body) => (Kind::Reply, body),
                // This end's deadline comes a little before the caller's.
                Err(Failure::Cancelled) if served.overdue => {
                    (Kind::Failure, Failure::Deadline.encode())
                }
                Err(failure) => (Kind::Failure, failure.encode()),
            };
            let mut header = about(kind, &served);
            header.request = token.request;
            Frame { header, body }
        };
        if let Some(session) = &mut self.session {
            session.push(frame, None, &mut self.actions);
        }
    }

    /// A handler has used up one chunk of its stream.
    pub fn consumed(&mut self, token: Token) {
        let chunks = self.limits.chunks;
        let Some(session) = self.session_of(token) else {
            return;
        };
        let Some(served) = session.serving.get_mut(token.request) else {
            return;
        };
        let Some(stream) = &mut served.stream else {
            return;
        };
        stream.used += 1;
        if stream.ended || stream.used < (chunks / 2).max(1) {
            return;
        }
        let count = std::mem::take(&mut stream.used);
        stream.chunks += count;
        let mut header = about(Kind::Credit, served);
        header.request = token.request;
        header.op = count;
        let frame = Frame {
            header,
            body: Bytes::new(),
        };
        if let Some(session) = &mut self.session {
            session.push(frame, None, &mut self.actions);
        }
    }

    fn session_of(&mut self, token: Token) -> Option<&mut super::Session> {
        self.session
            .as_mut()
            .filter(|session| session.count == token.session)
    }
}

/// The header of something that goes back.
fn about(kind: Kind, served: &Served) -> Header {
    Header {
        priority: served.priority,
        flags: if served.stream.is_some() {
            flag::STREAM
        } else {
            0
        },
        service: served.service,
        ..Header::new(kind, Lane::reply_to(served.priority))
    }
}
