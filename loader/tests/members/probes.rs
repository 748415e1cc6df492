//! What becomes of probes that are right.

use ssi_abi::counter;
use ssi_abi::probe::{BYTES, PORT, Probe, kind};

use crate::bed::{Bed, PEER, US, Verdict, everywhere, good, now, tagged};

/// The probe in a frame that was sent back, after the frame was compared with what it has
/// to be. `sum`: the probe had a checksum.
fn reflection(bed: &Bed, probe: &Probe, frame: &[u8], ports: [u16; 2], sum: bool) -> Probe {
    let at = bed.l4() + 8;
    let bytes = frame[at..].first_chunk().expect("as long as a probe");
    let got = Probe::from_bytes(bytes);
    let expected = tagged(probe.reflection(got.clock, got.flags));
    assert_eq!(got, expected);
    // XDP can't know whether a checksum is there yet, so it leaves none.
    let sum = sum && bed.entry == ssi_loader::Program::Tc;
    let back = bed.udp([US, PEER], ports, &expected.to_bytes(), sum);
    assert_eq!(frame, back);
    got
}

#[test]
fn a_probe_comes_back_with_this_nodes_clock() {
    everywhere(|bed| {
        for (nonce, sum, port) in [(1, true, PORT), (2, false, PORT), (3, true, 50_000)] {
            let probe = good(nonce);
            let mut frame = bed.udp([PEER, US], [port, PORT], &probe.to_bytes(), sum);
            if !bed.v6 {
                // A time to live of 3 on arrival; the sum goes down by 61 · 256.
                frame[22] = 3;
                let checksum = u16::from_be_bytes([frame[24], frame[25]]);
                let (new, carry) = checksum.overflowing_add(61 << 8);
                frame[24..26].copy_from_slice(&(new + u16::from(carry)).to_be_bytes());
            }
            let counted = bed.count(counter::PROBE_REFLECTED);
            let before = now();
            let (verdict, back) = bed.comes(&frame);
            let after = now();
            assert_eq!(verdict, Verdict::Sent);
            let got = reflection(bed, &probe, &back, [PORT, port], sum);
            assert!((before..=after).contains(&got.clock));
            assert_eq!(got.flags, 0, "no lease");
            assert_eq!(bed.count(counter::PROBE_REFLECTED), counted + 1);
            let member = bed.member(PEER);
            assert_eq!(member.nonces, [nonce, 0, 0, 0]);
            assert!((before..=after).contains(&member.seen));
        }
    });
}

#[test]
fn bytes_after_the_packet_change_nothing() {
    everywhere(|bed| {
        let mut frame = bed.probe(&good(1));
        let len = frame.len();
        frame.extend([7; 9]);
        let (verdict, back) = bed.comes(&frame);
        assert_eq!(verdict, Verdict::Sent);
        assert_eq!(back[len..], [7; 9]);
        reflection(bed, &good(1), &back[..len], [PORT, PORT], true);
    });
}

#[test]
fn what_is_for_ssid_passes_as_it_is_and_shows_that_the_member_lives() {
    everywhere(|bed| {
        let kinds = [kind::REFLECTION, kind::SUPERVISOR, kind::SUPERVISOR_REPLY];
        for kind in kinds {
            let before = now();
            let frame = bed.probe(&tagged(Probe { kind, ..good(9) }));
            assert_eq!(bed.comes(&frame), (Verdict::Pass, frame));
            assert!(bed.member(PEER).seen >= before);
        }
        assert_eq!(bed.member(PEER).nonces, [0, 9, 9, 9]);
    });
}

#[test]
fn the_previous_key_is_good_and_a_removed_one_is_not() {
    everywhere(|bed| {
        let old = tagged(Probe {
            key_id: 19,
            ..good(1)
        });
        assert_eq!(bed.comes(&bed.probe(&old)).0, Verdict::Sent);
        let [current, _] = crate::bed::KEYS;
        bed.maps().own.set_keys([current, Default::default()]);
        assert_eq!(bed.comes(&bed.probe(&good(2))).0, Verdict::Sent);
        let later = tagged(Probe { nonce: 3, ..old });
        let frame = bed.probe(&later);
        bed.refuses(&frame, counter::PROBE_KEY, "a removed key");
    });
}

#[test]
fn a_nonce_is_taken_once_and_only_a_later_one_follows() {
    everywhere(|bed| {
        for nonce in [5, 6, u64::MAX - 1] {
            let frame = bed.probe(&good(nonce));
            assert_eq!(bed.comes(&frame).0, Verdict::Sent);
            bed.refuses(&frame, counter::PROBE_REPLAYED, "the same");
            let earlier = bed.probe(&good(nonce - 1));
            bed.refuses(&earlier, counter::PROBE_REPLAYED, "an earlier one");
        }
    });
}

#[test]
fn out_of_a_cluster_nothing_is_looked_at() {
    everywhere(|bed| {
        bed.maps().own.leave();
        let frame = bed.probe(&good(1));
        assert_eq!(bed.comes(&frame), (Verdict::Pass, frame));
        let nonsense = bed.udp([9, US], [1, PORT], &[0; BYTES], true);
        assert_eq!(bed.comes(&nonsense), (Verdict::Pass, nonsense));
    });
}
