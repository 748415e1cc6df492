use proptest::prelude::*;

use super::*;
use crate::core::frame::{CHUNK, SharedKey};

fn encode(frames: &[Frame], mut mac: Option<Mac>) -> Vec<u8> {
    let mut bytes = Vec::new();
    for frame in frames {
        let header = frame.header.encode(frame.body.len());
        bytes.extend_from_slice(&header);
        bytes.extend_from_slice(&frame.body);
        if let Some(mac) = &mut mac {
            mac.begin(&header);
            bytes.extend_from_slice(&mac.end(&frame.body));
        }
    }
    bytes
}

/// Decodes `bytes` cut at the given places.
fn decode(bytes: &[u8], cuts: &[usize], mac: Option<Mac>) -> Result<Vec<Frame>, Refused> {
    let mut decoder = Decoder::new(Lane::Bulk);
    decoder.mac = mac;
    let mut frames = Vec::new();
    let mut start = 0;
    for end in cuts.iter().copied().chain([bytes.len()]) {
        let end = end.min(bytes.len()).max(start);
        decoder.buffer().extend_from_slice(&bytes[start..end]);
        start = end;
        while let Some(frame) = decoder.next_frame()? {
            frames.push(frame);
        }
    }
    Ok(frames)
}

fn frame() -> impl Strategy<Value = Frame> {
    let fields = (
        0..Kind::ALL.len(),
        0..4_u8,
        any::<(u16, u16, u16, u64, u64, u32, u32)>(),
        prop_oneof![0..200_usize, 4_000..5_000_usize],
        any::<u8>(),
    );
    fields.prop_map(|(kind, priority, rest, length, fill)| {
        let kind = Kind::ALL[kind];
        Frame {
            header: Header {
                kind,
                lane: Lane::Bulk,
                priority: Priority::new(priority).unwrap(),
                flags: rest.0,
                service: rest.1,
                op: rest.2,
                request: rest.3,
                epoch: rest.4,
                deadline_ms: rest.5,
                ack: rest.6,
            },
            body: vec![fill; length.min(kind.largest())].into(),
        }
    })
}

fn mac() -> Mac {
    Mac::new(&SharedKey([1; 16]), b"one", b"other")
}

proptest! {
    #[test]
    fn frames_survive_every_split(
        frames in prop::collection::vec(frame(), 0..5),
        mut cuts in prop::collection::vec(0..20_000_usize, 0..40),
        tagged: bool,
    ) {
        cuts.sort_unstable();
        let mac = tagged.then(mac);
        let bytes = encode(&frames, mac.clone());
        prop_assert_eq!(decode(&bytes, &cuts, mac), Ok(frames));
    }

    #[test]
    fn one_byte_at_a_time(frame in frame()) {
        let bytes = encode(std::slice::from_ref(&frame), None);
        let cuts: Vec<usize> = (0..bytes.len()).collect();
        prop_assert_eq!(decode(&bytes, &cuts, None), Ok(vec![frame]));
    }

    #[test]
    fn noise_neither_panics_nor_costs_memory(
        noise in prop::collection::vec(any::<u8>(), 0..4096),
        valid in 0..HEADER,
    ) {
        let template = Header::new(Kind::Data, Lane::Bulk).encode(CHUNK);
        let mut bytes = template[..valid].to_vec();
        bytes.extend(noise);
        let mut decoder = Decoder::new(Lane::Bulk);
        decoder.buffer().extend_from_slice(&bytes);
        while let Ok(Some(_)) = decoder.next_frame() {}
        // Lengths that frames only claim reserve nothing.
        prop_assert!(decoder.buffer().capacity() <= 2 * (bytes.len() + 64));
        prop_assert!(decoder.missing() <= super::super::LARGEST);
    }

    #[test]
    fn a_changed_bit_breaks_the_tag(frame in frame(), at: prop::sample::Index, bit in 0..8_u32) {
        let mut bytes = encode(std::slice::from_ref(&frame), Some(mac()));
        let at = at.index(bytes.len());
        bytes[at] ^= 1_u8 << bit;
        // A changed length may leave the frame incomplete; it never comes out.
        prop_assert!(decode(&bytes, &[], Some(mac())).is_ok_and(|f| f.is_empty())
            || decode(&bytes, &[], Some(mac())).is_err());
    }
}

#[test]
fn refusals_name_the_field_and_the_value() {
    let good = Header::new(Kind::Call, Lane::Bulk).encode(0);
    let said = |change: fn(&mut [u8; HEADER])| {
        let mut bytes = good;
        change(&mut bytes);
        decode(&bytes, &[], None).unwrap_err().to_string()
    };
    assert_eq!(said(|b| b[0] = 0), "magic is 0x6900, not 0x6973");
    assert_eq!(said(|b| b[2] = 9), "version is 9, not 2");
    assert_eq!(said(|b| b[3] = 77), "kind is 77, which is none");
    assert_eq!(said(|b| b[4] = 1), "lane is 1, on the connection of lane 6");
    assert_eq!(said(|b| b[5] = 4), "priority is 4, which is none");
    assert_eq!(
        said(|b| b[12..16].copy_from_slice(&[1, 0, 0, 1])),
        "length is 16777217, more than 16777216, for the kind Call"
    );
}

#[test]
fn frames_can_neither_be_repeated_nor_reordered() {
    let frames: Vec<Frame> = (0..2)
        .map(|request| Frame {
            header: Header {
                request,
                ..Header::new(Kind::Call, Lane::Bulk)
            },
            body: Bytes::new(),
        })
        .collect();
    let bytes = encode(&frames, Some(mac()));
    let (first, second) = bytes.split_at(bytes.len() / 2);
    assert_eq!(decode(&bytes, &[], Some(mac())), Ok(frames));
    let again = [first, first].concat();
    assert_eq!(decode(&again, &[], Some(mac())), Err(Refused::Tag));
    let swapped = [second, first].concat();
    assert_eq!(decode(&swapped, &[], Some(mac())), Err(Refused::Tag));
}

#[test]
fn each_direction_has_its_own_key() {
    let shared = SharedKey([1; 16]);
    let mut to = Mac::new(&shared, b"one", b"other");
    let mut from = Mac::new(&shared, b"other", b"one");
    to.begin(b"x");
    from.begin(b"x");
    assert_ne!(to.end(b""), from.end(b""));
}

#[test]
fn strangers_say_hello_first() {
    let mut decoder = Decoder::greeting(Lane::Bulk);
    let call = Header::new(Kind::Call, Lane::Bulk).encode(1 << 20);
    decoder.buffer().extend_from_slice(&call);
    assert_eq!(decoder.next_frame(), Err(Refused::Early(Kind::Call)));
}
