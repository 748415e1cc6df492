//! Internode communication: who gets in, what is counted, which priority it leaves with.

use ssi_abi::counter;
use ssi_abi::member::{PeerStats, member_flag};
use ssi_abi::probe::PORT;
use ssi_abi::{Addr, filter};

use crate::bed::{PEER, PEERS_LIFE, STRANGER, US, Verdict, everywhere, good};

#[test]
fn a_member_gets_in_and_is_counted_on_its_lane() {
    everywhere(|bed| {
        for lane in 0..8 {
            let port = 40_000 + lane;
            for ports in [[port, PORT], [PORT, port]] {
                let before = bed.said(lane.into());
                let frame = bed.tcp([PEER, US], ports);
                assert_eq!(bed.comes(&frame), (Verdict::Pass, frame.clone()));
                let expected = PeerStats {
                    in_packets: before.in_packets + 1,
                    in_bytes: before.in_bytes + frame.len() as u64 - 14,
                    ..before
                };
                assert_eq!(bed.said(lane.into()), expected);
            }
        }
    });
}

#[test]
fn who_is_no_member_does_not_get_in() {
    everywhere(|bed| {
        for ports in [[40_000, PORT], [PORT, 40_000]] {
            let frame = bed.tcp([STRANGER, US], ports);
            bed.refuses(&frame, counter::FENCED, "a stranger");
        }
        let frame = bed.tcp([PEER, US], [40_000, PORT]);
        bed.admit(PEER, PEERS_LIFE, member_flag::FENCED);
        bed.refuses(&frame, counter::FENCED, "a fenced member");
        bed.admit(PEER, PEERS_LIFE, 0);
        assert_eq!(bed.comes(&frame).0, Verdict::Pass);
        let addr = Addr::from(bed.addr(PEER));
        bed.maps().members.remove(&addr).expect("removes");
        bed.refuses(&frame, counter::FENCED, "one that has gone");
    });
}

#[test]
fn options_and_fragments_are_no_way_around_the_fence() {
    everywhere(|bed| {
        let plain = bed.tcp([STRANGER, US], [40_000, PORT]);
        let mut frame = plain.clone();
        if bed.v6 {
            frame.splice(54..54, [6, 0, 1, 4, 0, 0, 0, 0]);
            frame[19] += 8;
            frame[20] = 60;
        } else {
            frame.splice(34..34, [1; 4]);
            frame[14] = 0x46;
            frame[17] += 4;
        }
        bed.refuses(&frame, counter::FENCED, "with options");
        let mut frame = plain;
        if bed.v6 {
            frame.splice(54..54, [6, 0, 0, 1, 0, 0, 0, 9]);
            frame[19] += 8;
            frame[20] = 44;
        } else {
            frame[20] = 0x20;
        }
        bed.refuses(&frame, counter::FENCED, "a first fragment");
        // So short a first fragment that the header's rest would come later.
        let cut = frame.len() - 5 - 20 + 8;
        frame.truncate(cut);
        if bed.v6 {
            frame[19] = u8::try_from(cut - 54).expect("small");
        } else {
            frame[17] = u8::try_from(cut - 14).expect("small");
        }
        bed.refuses(&frame, counter::TRUNCATED, "a short first fragment");
    });
}

#[test]
fn other_ports_and_other_addresses_are_untouched() {
    everywhere(|bed| {
        let before = bed.maps().counters.all().expect("reads");
        let stranger = good(1).to_bytes();
        for frame in [
            bed.tcp([STRANGER, US], [40_000, 22]),
            bed.tcp([STRANGER, 3], [40_000, PORT]),
            bed.udp([STRANGER, US], [PORT, 53], &stranger, true),
            bed.udp([STRANGER, 3], [PORT, PORT], &stranger, true),
            bed.udp([PEER, 3], [PORT, PORT], &stranger, true),
        ] {
            assert_eq!(bed.comes(&frame), (Verdict::Pass, frame));
        }
        assert_eq!(bed.maps().counters.all().expect("reads"), before);
    });
}

#[test]
fn the_fence_stands_also_where_a_virtual_address_shares_the_word() {
    everywhere(|bed| {
        let word = filter::word(&Addr::from(bed.addr(US)));
        let bits = filter::NODE | filter::VIRTUAL | filter::CONNS;
        bed.maps().addrs.set(word, &bits).expect("writes");
        let frame = bed.tcp([STRANGER, US], [40_000, PORT]);
        bed.refuses(&frame, counter::FENCED, "a stranger");
        assert_eq!(bed.comes(&bed.probe(&good(1))).0, Verdict::Sent);
    });
}

#[test]
fn what_leaves_is_counted_and_has_its_lanes_priority() {
    everywhere(|bed| {
        for (lane, priority) in (0..8).zip([6, 6, 6, 6, 6, 6, 2, 7]) {
            let port = 40_000 + lane;
            for ports in [[port, PORT], [PORT, port]] {
                let before = bed.said(lane.into());
                let frame = bed.tcp([US, PEER], ports);
                assert_eq!(bed.goes(&frame), Some(priority), "lane {lane}");
                let expected = PeerStats {
                    out_packets: before.out_packets + 1,
                    out_bytes: before.out_bytes + frame.len() as u64 - 14,
                    ..before
                };
                assert_eq!(bed.said(lane.into()), expected);
            }
        }
        let probe = good(1).to_bytes();
        let frame = bed.udp([US, PEER], [PORT, PORT], &probe, true);
        assert_eq!(bed.goes(&frame), Some(7));
        assert_eq!(bed.goes(&bed.tcp([US, PEER], [40_000, 22])), Some(0));
        assert_eq!(bed.goes(&bed.tcp([3, PEER], [40_000, PORT])), Some(0));
    });
}
