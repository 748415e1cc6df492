//! Daemons that are restarted within one life of their nodes.

use std::time::Duration;

use bytes::Bytes;
use proptest::prelude::*;
use rand::RngExt;
use ssi_ics::core::credit::Bounds;
use ssi_ics::core::frame::{Frame, Header, Hello, Kind, Security};
use ssi_ics::core::peer::{Action, Ask, Limits, Mismatch, Reason};
use ssi_ics::core::{CallError, Lane, Moment, Peer, Priority};

use crate::world::World;

const LIMITS: Limits = Limits {
    window: 3,
    chunks: 2,
    waiting: Bounds {
        calls: 4,
        bytes: 1000,
    },
    lane_bytes: 1000,
};

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    /// Either end may be restarted, also both at once, and again while only some lanes are
    /// connected, in whatever order; what is left of earlier daemons may knock at any time.
    /// Each restart is noticed once at most, no call is carried out twice, and all that the
    /// living daemons have asked for completes.
    #[test]
    fn sessions_begin_anew_and_calls_end(seed: u64, nodes in 2..4_u16) {
        let mut world = World::new(seed, nodes, LIMITS);
        let mut former: Vec<(u16, u16, Hello)> = Vec::new();
        for _ in 0..600 {
            match world.rng.random_range(0..100) {
                0..30 => world.random_call(2),
                30..34 => {
                    let node = world.rng.random_range(1..=nodes);
                    for other in (1..=nodes).filter(|other| *other != node) {
                        let lane = Lane::ALL[world.rng.random_range(0..Lane::COUNT)];
                        former.extend(world.hello(node, other, lane).map(|hello| (node, other, hello)));
                        world.act(node, other);
                    }
                    let mut hears = world.rng.random::<u64>();
                    world.restart(node, || {
                        hears = hears.rotate_right(1);
                        hears & 1 == 1
                    });
                }
                34..36 => {
                    if let Some((from, to, lane)) = world.random_pipe() {
                        world.cut(from, to, lane);
                    }
                }
                36..40 if !former.is_empty() => {
                    let at = world.rng.random_range(0..former.len());
                    let (node, other, hello) = former[at];
                    let restarts = world.nodes[&node].restarts;
                    let now = world.now;
                    let peer = world.peer(other, node);
                    if peer.stats().restarts == restarts && peer.is_over(hello.session) {
                        let before = peer.stats();
                        prop_assert_eq!(peer.connected(now, &hello), Err(Mismatch::Session));
                        prop_assert_eq!(peer.stats(), before);
                    }
                }
                40..55 => {
                    let node = world.rng.random_range(1..nodes);
                    let other = world.rng.random_range(node + 1..=nodes);
                    let lane = Lane::ALL[world.rng.random_range(0..Lane::COUNT)];
                    if world.rng.random_bool(0.2) {
                        world.half_connect(node, other, lane);
                    } else {
                        world.connect(node, other, lane);
                    }
                }
                _ => world.step(),
            }
        }
        world.connect_all();
        world.settle(200_000);
        for _ in 0..3000 {
            world.step();
        }
        for ((_, to, _), made) in &world.made {
            if let Some(Err(CallError::Restarted { node })) = made.done {
                prop_assert_eq!(node, *to);
                prop_assert!(world.nodes[to].restarts > 0);
            }
        }
        for node in world.nodes.values() {
            for (other, peer) in &node.peers {
                let stats = peer.stats();
                prop_assert!(stats.restarts <= world.nodes[other].restarts);
                prop_assert_eq!((stats.broken, stats.pending, stats.serving), (0, 0, 0));
                prop_assert!(stats.lanes.iter().all(|lane| lane.connected));
                for lane in stats.lanes {
                    prop_assert_eq!((lane.waiting, lane.credits_used, lane.kept_frames), (0, 0, 0));
                }
            }
        }
    }
}

fn hello(session: u64) -> Hello {
    Hello {
        node: 2,
        incarnation: 1,
        to: 1,
        to_incarnation: 1,
        lane: Lane::Reply,
        security: Security::None,
        cluster: [0; 16],
        session,
        received: 0,
        window: 1,
        chunks: 1,
        nonce: [0; 16],
    }
}

const NOW: Moment = Duration::from_secs(1);

fn on(lane: Lane, session: u64) -> Hello {
    Hello {
        lane,
        ..hello(session)
    }
}

fn ask(priority: Priority) -> Ask {
    Ask {
        service: 7,
        op: 0,
        priority,
        deadline: None,
        body: Bytes::new(),
        stream: false,
    }
}

fn actions(peer: &mut Peer) -> Vec<Action> {
    std::iter::from_fn(|| peer.poll_action()).collect()
}

/// Whatever lane says hello first, all ends at once: calls that were sent, that wait for
/// credit and that no connection has had, handlers, and the connections of other lanes.
#[test]
fn a_higher_number_ends_what_was_said_before() {
    for first in Lane::ALL {
        let mut peer = Peer::new(2, LIMITS);
        peer.nodeup(1, 1, 9);
        let conns = Lane::ALL.map(|lane| peer.connected(NOW, &on(lane, 5)).unwrap());
        for _ in 0..3 {
            peer.call(NOW, ask(Priority::LOWEST)).unwrap();
        }
        let header = Header {
            service: 3,
            request: 1,
            ..Header::new(Kind::Call, Lane::ALL[0])
        };
        let body = Bytes::new();
        peer.received(
            NOW,
            conns[0],
            Frame {
                header,
                body: body.clone(),
            },
        );
        let dispatched = actions(&mut peer)
            .into_iter()
            .find_map(|action| match action {
                Action::Dispatch(dispatch) => Some(dispatch.token),
                _ => None,
            });
        let token = dispatched.expect("a handler");
        let conn = peer.connected(NOW, &on(first, 6)).unwrap();
        let (mut ended, mut told, mut closed) = (0, Vec::new(), Vec::new());
        for action in actions(&mut peer) {
            match action {
                Action::CompleteAll(error) => {
                    assert_eq!(error, CallError::Restarted { node: 2 });
                    ended += 1;
                }
                Action::CancelHandler(token) => told.push(token),
                Action::Close(conn, Reason::Restarted) => closed.push(conn),
                Action::Write(to) if to == conn => {}
                other => panic!("{other:?}"),
            }
        }
        assert_eq!((ended, told), (1, vec![token]));
        assert_eq!(closed, conns);
        assert_eq!(peer.stats().pending, 0);
        assert_eq!(peer.stats().restarts, 1);
        // Nothing of the old session is delivered, nor goes out.
        peer.reply(token, Ok(Bytes::new()));
        peer.received(NOW, conns[0], Frame { header, body });
        assert_eq!(peer.stats().stale, 1);
        assert!(peer.take(NOW, conn).is_none() && actions(&mut peer).is_empty());
        // The former daemon isn't listened to any more, and disturbs nothing.
        assert_eq!(peer.connected(NOW, &on(first, 5)), Err(Mismatch::Session));
        assert!(peer.is_connected(conn));
        // The lanes that come later belong to the same session.
        for lane in Lane::ALL {
            assert!(peer.connected(NOW, &on(lane, 6)).is_ok());
        }
        assert_eq!(peer.stats().restarts, 1);
    }
}

/// A life that isn't the view's, a session that is over, or one that can't be.
#[test]
fn another_life_is_no_match() {
    let mut peer = Peer::new(2, LIMITS);
    peer.nodeup(1, 1, 9);
    assert!(peer.connected(NOW, &hello(5)).is_ok());
    let mut said = |change: fn(&mut Hello)| {
        let mut changed = hello(5);
        change(&mut changed);
        peer.connected(NOW, &changed)
    };
    assert_eq!(said(|h| h.session = 4), Err(Mismatch::Session));
    assert_eq!(said(|h| h.session = 0), Err(Mismatch::Session));
    assert_eq!(said(|h| h.incarnation = 2), Err(Mismatch::Incarnation));
    assert_eq!(said(|h| h.received = 1), Err(Mismatch::Received));
    assert!(said(|_| ()).is_ok());
    // A new daemon that has received what nobody told it.
    let lie = |h: &mut Hello| (h.session, h.received) = (6, 1);
    assert_eq!(said(lie), Err(Mismatch::Received));
    assert_eq!(peer.stats().restarts, 0);
    peer.nodedown(2);
    assert_eq!(peer.connected(NOW, &hello(5)), Err(Mismatch::NotUp));
}
