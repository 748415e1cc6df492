//! Probes that are not right: forged, stale, mangled, cut.

use ssi_abi::counter;
use ssi_abi::member::member_flag;
use ssi_abi::probe::{BYTES, PORT, Probe};
use ssi_loader::Program;

use crate::bed::{
    OUR_LIFE, PEER, PEERS_LIFE, STRANGER, US, Verdict, everywhere, good, now, tagged,
};

#[test]
fn each_wrong_field_is_refused_for_its_reason() {
    type Change = fn(&mut Probe);
    let fields: [(&str, u32, Change); 14] = [
        ("magic", counter::PROBE_MALFORMED, |p| p.magic ^= 1),
        ("version", counter::PROBE_MALFORMED, |p| p.version += 1),
        ("kind 0", counter::PROBE_MALFORMED, |p| p.kind = 0),
        ("kind 5", counter::PROBE_MALFORMED, |p| p.kind = 5),
        ("kind 255", counter::PROBE_MALFORMED, |p| p.kind = 255),
        ("no key", counter::PROBE_KEY, |p| p.key_id = 0),
        ("another key", counter::PROBE_KEY, |p| p.key_id = 21),
        ("sender", counter::PROBE_STRANGER, |p| p.from = 3),
        ("receiver", counter::PROBE_STRANGER, |p| p.to = 3),
        ("sender's next life", counter::PROBE_STRANGER, |p| {
            p.from_incarnation = PEERS_LIFE + 1;
        }),
        ("sender's last life", counter::PROBE_OLD, |p| {
            p.from_incarnation = PEERS_LIFE - 1;
        }),
        ("our last life", counter::PROBE_OLD, |p| {
            p.to_incarnation = OUR_LIFE - 1;
        }),
        ("no life", counter::PROBE_OLD, |p| p.to_incarnation = 0),
        ("nonce", counter::PROBE_REPLAYED, |p| p.nonce = 0),
    ];
    everywhere(|bed| {
        for (what, reason, change) in fields {
            let mut probe = good(1);
            change(&mut probe);
            let frame = bed.probe(&tagged(probe));
            bed.refuses(&frame, reason, what);
        }
        assert_eq!(bed.member(PEER).seen, 0, "none of them is a sign of life");
        // All of that used nothing up.
        assert_eq!(bed.comes(&bed.probe(&good(1))).0, Verdict::Sent);
    });
}

#[test]
fn who_is_no_member_gets_no_answer() {
    everywhere(|bed| {
        let bytes = good(1).to_bytes();
        let frame = bed.udp([STRANGER, US], [PORT, PORT], &bytes, true);
        bed.refuses(&frame, counter::PROBE_STRANGER, "a stranger");
        bed.admit(PEER, PEERS_LIFE, member_flag::FENCED);
        let frame = bed.probe(&good(1));
        bed.refuses(&frame, counter::FENCED, "a fenced member");
    });
}

#[test]
fn every_flipped_bit_is_refused() {
    everywhere(|bed| {
        let good = bed.probe(&good(1));
        let payload = bed.l4() + 8;
        let reflected = bed.count(counter::PROBE_REFLECTED);
        for bit in 0..8 * BYTES {
            let mut frame = good.clone();
            frame[payload + bit / 8] ^= 1 << (bit % 8);
            assert_eq!(bed.comes(&frame).0, Verdict::Drop, "bit {bit}");
        }
        assert_eq!(bed.count(counter::PROBE_REFLECTED), reflected);
        assert_eq!(bed.comes(&good).0, Verdict::Sent);
    });
}

#[test]
fn a_cut_probe_never_comes_back() {
    everywhere(|bed| {
        let whole = bed.probe(&good(1));
        // As a socket buffer, the kernel refuses to try what ends within the IP header.
        let least = if bed.entry == Program::Tc {
            bed.l4()
        } else {
            14
        };
        for len in least..whole.len() {
            let cut = &whole[..len];
            assert_ne!(bed.comes(cut).0, Verdict::Sent, "{len} bytes of a frame");
        }
        // The same, with lengths that say so.
        let mut bytes = good(1).to_bytes().to_vec();
        bytes.extend([0; 8]);
        for len in (0..=bytes.len()).filter(|len| *len != BYTES) {
            let frame = bed.udp([PEER, US], [PORT, PORT], &bytes[..len], true);
            let what = format!("{len} bytes of a probe");
            bed.refuses(&frame, counter::PROBE_MALFORMED, &what);
        }
        let mut frame = whole.clone();
        let at = bed.l4() + 4;
        frame[at..at + 2].copy_from_slice(&79_u16.to_be_bytes());
        bed.refuses(&frame, counter::PROBE_MALFORMED, "UDP's own length");
        assert_eq!(bed.comes(&whole).0, Verdict::Sent);
    });
}

#[test]
fn a_part_of_a_datagram_is_no_probe_and_options_are_the_sockets_business() {
    everywhere(|bed| {
        let probe = bed.probe(&good(1));
        if bed.v6 {
            // A fragment header: of the first fragment of more; of the only one.
            for (more, verdict) in [(1, Verdict::Drop), (0, Verdict::Pass)] {
                let frame = with_header(&probe, 44, [17, 0, 0, more, 0, 0, 0, 9]);
                assert_eq!(bed.comes(&frame).0, verdict);
            }
            let frame = with_header(&probe, 60, [17, 0, 1, 4, 0, 0, 0, 0]);
            assert_eq!(bed.comes(&frame), (Verdict::Pass, frame));
        } else {
            let mut frame = probe.clone();
            frame[20] = 0x20;
            bed.refuses(&frame, counter::PROBE_MALFORMED, "more fragments");
            frame[20..22].copy_from_slice(&[0, 1]);
            assert_eq!(bed.comes(&frame).0, Verdict::Pass);
            // Four bytes of no-operation.
            let mut frame = probe.clone();
            frame.splice(34..34, [1; 4]);
            frame[14] = 0x46;
            frame[17] += 4;
            assert_eq!(bed.comes(&frame), (Verdict::Pass, frame));
        }
        assert_eq!(bed.comes(&probe).0, Verdict::Sent);
    });
}

/// An IPv6 frame with one extension header more.
fn with_header(frame: &[u8], kind: u8, header: [u8; 8]) -> Vec<u8> {
    let mut frame = frame.to_vec();
    frame.splice(54..54, header);
    frame[20] = kind;
    frame[19] += 8;
    frame
}

#[test]
fn a_grant_in_a_refused_probe_is_no_grant() {
    everywhere(|bed| {
        let probe = Probe {
            grant: now(),
            lease: 1 << 40,
            ..good(1)
        };
        let frame = bed.probe(&probe);
        bed.refuses(&frame, counter::PROBE_TAG, "not tagged again");
        assert_eq!(bed.maps().own.lease_until(), 0);
    });
}
