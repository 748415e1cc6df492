//! The lease: what raises it, and what ends with it.

use std::net::IpAddr;

use ssi_abi::probe::{Probe, flag};
use ssi_abi::service::{Service, ServiceKey, flag as service_flag, scheduler};
use ssi_abi::{Addr, counter, filter};

use crate::bed::{Bed, PEER, US, Verdict, everywhere, good, now, once, tagged};

const SECOND: u64 = 1_000_000_000;

/// Sends a probe with a grant; the flags of its reflection.
fn grant(bed: &mut Bed, nonce: u64, from: u64, lease: u64) -> u32 {
    let probe = tagged(Probe {
        grant: from,
        lease,
        ..good(nonce)
    });
    let (verdict, back) = bed.comes(&bed.probe(&probe));
    assert_eq!(verdict, Verdict::Sent);
    let bytes = back[bed.l4() + 8..].first_chunk();
    let reflection = Probe::from_bytes(bytes.expect("as long as a probe"));
    assert_eq!((reflection.grant, reflection.lease), (from, lease), "kept");
    reflection.flags
}

#[test]
fn a_grant_raises_the_lease_and_never_lowers_it() {
    everywhere(|bed| {
        bed.maps().own.enforce_lease(true);
        let (start, granted) = (now(), bed.maps().own.get().granted);
        let counted = bed.count(counter::LEASE_GRANTED);
        assert_eq!(grant(bed, 1, start, 60 * SECOND), flag::HOLDS);
        assert_eq!(bed.maps().own.lease_until(), start + 60 * SECOND);
        assert_eq!(grant(bed, 2, start - SECOND, 60 * SECOND), flag::HOLDS);
        assert_eq!(bed.maps().own.lease_until(), start + 60 * SECOND);
        assert_eq!(grant(bed, 3, start + 1, 60 * SECOND), flag::HOLDS);
        assert_eq!(bed.maps().own.lease_until(), start + 60 * SECOND + 1);
        assert_eq!(bed.maps().own.get().granted, granted + 3);
        assert_eq!(bed.count(counter::LEASE_GRANTED), counted + 3);
    });
}

#[test]
fn no_grant_and_one_from_the_future_are_none() {
    everywhere(|bed| {
        bed.maps().own.enforce_lease(true);
        let granted = bed.maps().own.get().granted;
        assert_eq!(grant(bed, 1, now() + 60 * SECOND, SECOND), 0);
        assert_eq!(grant(bed, 2, u64::MAX, u64::MAX), 0);
        assert_eq!(grant(bed, 3, 0, u64::MAX), 0);
        assert_eq!(bed.maps().own.lease_until(), 0);
        assert_eq!(bed.maps().own.get().granted, granted);
        // One that would last beyond the end of time doesn't begin again at its start.
        assert_eq!(grant(bed, 4, 5, u64::MAX), flag::HOLDS);
        assert_eq!(bed.maps().own.lease_until(), u64::MAX);
    });
}

#[test]
fn a_lease_that_is_over_or_not_enforced_is_not_held() {
    everywhere(|bed| {
        assert_eq!(grant(bed, 1, now(), 60 * SECOND), 0, "not enforced");
        bed.maps().own.enforce_lease(true);
        assert_eq!(grant(bed, 2, 0, 0), flag::HOLDS);
        bed.maps().own.set_lease(now() - 1);
        assert_eq!(grant(bed, 3, 0, 0), 0, "over");
    });
}

#[test]
fn when_the_lease_is_over_nothing_is_heard_or_said_until_it_is_renewed() {
    everywhere(|bed| {
        let inward = bed.tcp([PEER, US], [40_001, 7117]);
        let outward = bed.tcp([US, PEER], [7117, 40_001]);
        bed.maps().own.enforce_lease(true);
        bed.refuses(&inward, counter::LEASE_ENDED, "a segment in");
        let counted = bed.count(counter::LEASE_ENDED);
        assert_eq!(bed.goes(&outward), None);
        assert_eq!(bed.count(counter::LEASE_ENDED), counted + 1);
        assert_eq!(
            bed.comes(&bed.tcp([PEER, US], [40_001, 22])).0,
            Verdict::Pass
        );
        assert!(bed.goes(&bed.tcp([US, PEER], [22, 40_001])).is_some());

        assert_eq!(grant(bed, 1, now(), 60 * SECOND), flag::HOLDS);
        assert_eq!(bed.comes(&inward).0, Verdict::Pass);
        assert!(bed.goes(&outward).is_some());
        bed.maps().own.set_lease(now() - 1);
        bed.refuses(&inward, counter::LEASE_ENDED, "a segment in, later");
        bed.maps().own.enforce_lease(false);
        assert_eq!(bed.comes(&inward).0, Verdict::Pass);
        assert!(bed.goes(&outward).is_some());
    });
}

#[test]
fn a_director_without_a_lease_schedules_nothing() {
    everywhere(|bed| {
        let maps = bed.maps();
        let addr = Addr::from(bed.addr(100));
        let key = ServiceKey {
            addr,
            port: 80_u16.to_be(),
            protocol: 6,
            pad: 0,
        };
        let bits = filter::VIRTUAL | filter::DIRECTED;
        maps.addrs.set(filter::word(&addr), &bits).expect("writes");
        maps.service_index.insert(&key, &1).expect("writes");
        let service = |flags| Service {
            key,
            flags,
            scheduler: scheduler::HASH,
            ..Service::default()
        };
        maps.services
            .set(1, &service(service_flag::DIRECTOR))
            .expect("writes");
        let frame = bed.tcp([PEER, 100], [40_000, 80]);
        bed.refuses(&frame, counter::NO_SERVER, "not enforced");
        bed.maps().own.enforce_lease(true);
        bed.refuses(&frame, counter::LEASE_ENDED, "over");
        bed.maps().own.extend_lease(now() + 60 * SECOND);
        bed.refuses(&frame, counter::NO_SERVER, "held");
        bed.maps().own.set_lease(now() - 1);
        // Who isn't the director delivers what one gives it.
        bed.maps().services.set(1, &service(0)).expect("writes");
        assert_eq!(bed.comes(&frame).0, Verdict::Pass);
        bed.maps().service_index.remove(&key).expect("removes");
    });
}

/// Somebody asks where an address is: by ARP, or by neighbour solicitation, to the group of
/// the address or to the address itself.
fn questions(target: IpAddr) -> Vec<Vec<u8>> {
    let mut frame = vec![0; 6];
    frame.extend([2; 6]);
    match target {
        IpAddr::V4(target) => {
            frame.extend([0x08, 0x06, 0, 1, 8, 0, 6, 4, 0, 1]);
            frame.extend([2, 0, 0, 0, 0, 9, 10, 7, 0, 9, 0, 0, 0, 0, 0, 0]);
            frame.extend(target.octets());
            vec![frame]
        }
        IpAddr::V6(target) => {
            let t = target.octets();
            let mut group = [0; 16];
            group[..2].copy_from_slice(&[0xff, 2]);
            group[11..13].copy_from_slice(&[1, 0xff]);
            group[13..].copy_from_slice(&t[13..]);
            let to = |destination: [u8; 16]| {
                let mut frame = frame.clone();
                frame.extend([0x86, 0xdd, 0x60, 0, 0, 0, 0, 24, 58, 255]);
                frame.extend([0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9]);
                frame.extend(destination);
                frame.extend([135, 0, 0, 0, 0, 0, 0, 0]);
                frame.extend(t);
                frame
            };
            vec![to(group), to(t)]
        }
    }
}

#[test]
fn nobody_says_where_a_virtual_address_is_without_a_lease() {
    everywhere(|bed| {
        let maps = bed.maps();
        let (virtual_address, own) = (bed.addr(100), bed.addr(US));
        let word = filter::word(&Addr::from(virtual_address));
        maps.addrs.set(word, &filter::VIRTUAL).expect("writes");
        let asked = |bed: &mut Bed, at: IpAddr, what: &str, verdict: Verdict| {
            for question in questions(at) {
                assert_eq!(bed.comes(&question).0, verdict, "{at}, {what}");
            }
        };
        asked(bed, virtual_address, "in no need of a lease", Verdict::Pass);
        bed.maps().own.enforce_lease(true);
        let counted = bed.count(counter::LEASE_ENDED);
        asked(bed, virtual_address, "without one", Verdict::Drop);
        assert!(bed.count(counter::LEASE_ENDED) > counted);
        asked(bed, own, "the node's own", Verdict::Pass);
        bed.maps().own.extend_lease(now() + 60 * SECOND);
        asked(bed, virtual_address, "with one", Verdict::Pass);
        bed.maps().own.set_lease(now() - 1);
        bed.maps().addrs.set(word, &0).expect("writes");
        asked(bed, virtual_address, "nobody's any more", Verdict::Pass);
    });
}

#[test]
fn the_record_of_this_node_reads_back() {
    let bed = once();
    let own = &bed.maps().own;
    own.set_lease(5);
    own.extend_lease(4);
    assert_eq!(own.lease_until(), 5);
    own.enforce_lease(true);
    let got = own.get();
    assert_eq!((got.node, got.incarnation, got.flags), (1, 7, 3));
    assert_eq!((got.keys, got.lease_until), (crate::bed::KEYS, 5));
    own.join(3, 8);
    let got = own.get();
    assert_eq!((got.node, got.incarnation, got.flags), (3, 8, 1));
    assert_eq!(got.lease_until, 0, "another life's");
}
