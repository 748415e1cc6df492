//! A peer that has the key and means harm.

use bytes::Bytes;
use proptest::prelude::*;
use ssi_ics::core::frame::{CHUNK, Frame, Header, Hello, Kind, Security};
use ssi_ics::core::peer::{Action, Limits, Token};
use ssi_ics::core::{Lane, Moment, Peer, Priority};

const KINDS: [Kind; 10] = [
    Kind::Call,
    Kind::OneWay,
    Kind::Reply,
    Kind::Failure,
    Kind::Cancel,
    Kind::Credit,
    Kind::Data,
    Kind::DataEnd,
    Kind::Hello,
    Kind::Ack,
];

fn hello(lane: Lane, received: u64) -> Hello {
    Hello {
        node: 2,
        incarnation: 1,
        to: 1,
        to_incarnation: 1,
        lane,
        security: Security::None,
        cluster: [0; 16],
        session: 5,
        received,
        window: 3,
        chunks: 2,
        nonce: [0; 16],
    }
}

/// A frame of which every field may be wrong, but is often right.
fn frame() -> impl Strategy<Value = Frame> {
    let fields = (0..KINDS.len(), 0..7_u8, 0..4_u8, 0..4_u16, 0..3_u16);
    let rest = (
        any::<u16>(),
        0..6_u64,
        any::<u32>(),
        0..4_u32,
        any::<bool>(),
    );
    (fields, rest).prop_map(|(fields, rest)| {
        let (kind, lane, priority, flags, service) = fields;
        let (op, request, deadline_ms, ack, large) = rest;
        let kind = KINDS[kind];
        let lane = Lane::from_number(lane).unwrap();
        Frame {
            header: Header {
                priority: Priority::new(priority).unwrap(),
                flags,
                service,
                op,
                request,
                deadline_ms,
                ack,
                ..Header::new(kind, lane)
            },
            body: Bytes::from(vec![0; if large { CHUNK } else { 1 }]),
        }
    })
}

proptest! {
    /// Whatever it sends, nothing panics, no more calls are handled at once than it has
    /// credit for, and no more chunks wait than a stream's window.
    #[test]
    fn it_gets_no_more_than_its_credit(frames in prop::collection::vec(frame(), 0..300)) {
        let limits = Limits { window: 3, chunks: 2, ..Limits::default() };
        let mut peer = Peer::new(2, limits);
        peer.nodeup(1, 1, 9);
        let mut now = Moment::from_secs(1);
        let mut handled: Vec<Token> = Vec::new();
        for frame in frames {
            now += Moment::from_micros(100);
            let lane = frame.header.lane;
            // It comes back whenever it is thrown out.
            let back = (0..1000).find_map(|n| peer.connected(now, &hello(lane, n)).ok());
            prop_assert!(back.is_some());
            if let Some(conn) = back {
                peer.received(now, conn, frame);
                while peer.take(now, conn).is_some() {}
            }
            peer.tick(now);
            while let Some(action) = peer.poll_action() {
                if let Action::Dispatch(dispatch) = action {
                    handled.push(dispatch.token);
                }
            }
            let stats = peer.stats();
            // Three services, on five lanes.
            prop_assert!(stats.serving <= 3 * 3 * 5);
            if handled.len() > 20 {
                for token in handled.drain(..) {
                    peer.consumed(token);
                    peer.reply(token, Ok(Bytes::new()));
                }
            }
        }
    }
}
