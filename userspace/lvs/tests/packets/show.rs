//! Two frames side by side, for people: which field differs, and where.

use std::fmt::Write as _;
use std::ops::Range;

/// The difference between two frames, with field names where the wanted one has them.
pub fn difference(wanted: &[u8], got: &[u8]) -> String {
    let mut text = String::new();
    if wanted.len() != got.len() {
        let _ = writeln!(text, "  {} bytes wanted, {} got", wanted.len(), got.len());
    }
    for (name, range) in fields(wanted) {
        let (a, b) = (part(wanted, &range), part(got, &range));
        if a != b {
            let _ = writeln!(text, "  {name}: wanted {}, got {}", hex(a), hex(b));
        }
    }
    let _ = writeln!(
        text,
        "  wanted:\n{}  got:\n{}",
        dump(wanted, got),
        dump(got, wanted)
    );
    text
}

fn part<'a>(frame: &'a [u8], range: &Range<usize>) -> &'a [u8] {
    let end = range.end.min(frame.len());
    &frame[range.start.min(end)..end]
}

fn hex(bytes: &[u8]) -> String {
    let shown: Vec<_> = bytes
        .iter()
        .take(24)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let more = if bytes.len() > shown.len() { "…" } else { "" };
    format!("[{}{more}]", shown.join(" "))
}

/// Sixteen bytes a line; those that the other frame does not have are marked.
pub fn dump(frame: &[u8], other: &[u8]) -> String {
    let mut text = String::new();
    for (line, bytes) in frame.chunks(16).enumerate() {
        let _ = write!(text, "    {:04x} ", line * 16);
        for (i, byte) in bytes.iter().enumerate() {
            let same = other.get(line * 16 + i) == Some(byte);
            let _ = write!(text, "{}{byte:02x}", if same { ' ' } else { '*' });
        }
        text.push('\n');
    }
    text
}

type Fields = Vec<(String, Range<usize>)>;

const ETHERNET: &[(&str, usize)] = &[("destination", 6), ("source", 6), ("type", 2)];
const IPV4: &[(&str, usize)] = &[
    ("version and header length", 1),
    ("type of service", 1),
    ("length", 2),
    ("identification", 2),
    ("fragment", 2),
    ("time to live", 1),
    ("protocol", 1),
    ("header checksum", 2),
    ("source", 4),
    ("destination", 4),
];
const IPV6: &[(&str, usize)] = &[
    ("version, class, label", 4),
    ("length", 2),
    ("next header", 1),
    ("hop limit", 1),
    ("source", 16),
    ("destination", 16),
];
const TCP: &[(&str, usize)] = &[
    ("source port", 2),
    ("destination port", 2),
    ("sequence", 8),
    ("offset and flags", 2),
    ("window", 2),
    ("checksum", 2),
    ("urgent", 2),
];
const UDP: &[(&str, usize)] = &[
    ("source port", 2),
    ("destination port", 2),
    ("length", 2),
    ("checksum", 2),
];
const ICMP: &[(&str, usize)] = &[("type", 1), ("code", 1), ("checksum", 2), ("rest", 4)];

fn fields(frame: &[u8]) -> Fields {
    let mut fields = Vec::new();
    let at = header(&mut fields, "Ethernet", 0, ETHERNET);
    match part(frame, &(12..14)) {
        [8, 0] => ip(&mut fields, frame, at, ""),
        [0x86, 0xdd] => ip(&mut fields, frame, at, ""),
        _ => fields.push(("payload".to_owned(), at..frame.len())),
    }
    fields
}

fn header(fields: &mut Fields, name: &str, mut at: usize, layout: &[(&str, usize)]) -> usize {
    for (field, len) in layout {
        fields.push((format!("{name} {field}"), at..at + len));
        at += len;
    }
    at
}

fn ip(fields: &mut Fields, frame: &[u8], at: usize, place: &str) {
    let byte = |offset: usize| frame.get(at + offset).copied().unwrap_or(0);
    let (mut protocol, mut next) = if byte(0) >> 4 == 4 {
        let end = header(fields, &format!("{place}IPv4"), at, IPV4);
        let options = at + usize::from(byte(0) & 15) * 4;
        fields.push((format!("{place}IPv4 options"), end..options.max(end)));
        (byte(9), options.max(end))
    } else {
        (byte(6), header(fields, &format!("{place}IPv6"), at, IPV6))
    };
    while matches!(protocol, 0 | 43 | 44 | 51 | 60) && next + 8 <= frame.len() {
        let len = match protocol {
            44 => 8,
            51 => (usize::from(frame[next + 1]) + 2) * 4,
            _ => (usize::from(frame[next + 1]) + 1) * 8,
        };
        fields.push((
            format!("{place}extension header {protocol}"),
            next..next + len,
        ));
        protocol = frame[next];
        next += len;
    }
    let end = match protocol {
        4 | 41 => return ip(fields, frame, next, &format!("{place}inner ")),
        6 => header(fields, &format!("{place}TCP"), next, TCP),
        17 => header(fields, &format!("{place}UDP"), next, UDP),
        1 | 58 => {
            let end = header(fields, &format!("{place}ICMP"), next, ICMP);
            let error = if protocol == 1 { 3..=12 } else { 1..=4 };
            if frame.get(next).is_some_and(|kind| error.contains(kind)) {
                return ip(fields, frame, end, &format!("{place}quoted "));
            }
            end
        }
        _ => next,
    };
    fields.push((format!("{place}payload"), end..frame.len()));
}
