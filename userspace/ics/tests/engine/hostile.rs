//! A peer that has the key and means harm.

use bytes::Bytes;
use proptest::prelude::*;
use ssi_ics::core::frame::{CHUNK, Frame, Header, Hello, Kind, Security};
use ssi_ics::core::peer::{Action, Conn, Limits, Token};
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

/// A caller whose own lanes are there, but not those for replies.
fn deaf() -> (Peer, Conn) {
    let limits = Limits {
        window: 3,
        chunks: 2,
        ..Limits::default()
    };
    let mut peer = Peer::new(2, limits);
    peer.nodeup(1, 1, 9);
    let conn = peer
        .connected(Moment::ZERO, &hello(Lane::ALL[0], 0))
        .unwrap();
    (peer, conn)
}

/// Calls once; the number of calls that were dispatched, each of which is answered at once.
fn call(peer: &mut Peer, conn: Conn, service: u16, request: u64) -> usize {
    let header = Header {
        service,
        request,
        ..Header::new(Kind::Call, Lane::ALL[0])
    };
    let body = Bytes::new();
    peer.received(Moment::from_secs(1), conn, Frame { header, body });
    let mut dispatched = 0;
    while let Some(action) = peer.poll_action() {
        if let Action::Dispatch(dispatch) = action {
            peer.reply(
                dispatch.token,
                Ok(Bytes::from_static(b"a reply that nobody takes")),
            );
            dispatched += 1;
        }
    }
    dispatched
}

/// It pays for no call with taking its reply.
#[test]
fn it_cannot_pile_up_replies() {
    let (mut peer, mut conn) = deaf();
    let mut handled = 0;
    for request in 0..20_000 {
        handled += call(&mut peer, conn, 1, request);
        if !peer.is_connected(conn) {
            let back = (0..20_000)
                .find_map(|n| peer.connected(Moment::ZERO, &hello(Lane::ALL[0], n)).ok());
            conn = back.unwrap();
        }
    }
    let kept = peer.stats().lanes[Lane::Reply.index()].kept_frames;
    assert_eq!(kept, handled as u64);
    assert!(kept <= 2 * 3 + 512, "{kept}");
    assert!(peer.stats().broken > 0);
}

/// It asks for services that it makes up, each with credits of its own.
#[test]
fn it_cannot_make_up_services_without_end() {
    let (mut peer, conn) = deaf();
    let handled: usize = (0..u16::MAX)
        .map(|service| call(&mut peer, conn, service, service.into()))
        .sum();
    assert!(handled <= 2048, "{handled}");
    assert_eq!(peer.stats().broken, 1);
}
