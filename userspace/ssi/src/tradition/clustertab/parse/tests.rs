use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

const WELL: &str = "\
# Node\tIP-address\tHardware-address\tBoot-Prot\tInitnode?\tBoot-device
1\t10.77.0.1\t00:11:22:AA:BB:01\tP\t1\t/dev/sda1

2\t10.77.0.2\t\t0:11:22:aa:bb:2\tE\t0\t\t# aligned
3\t10.77.0.3\t\t\t1\t/dev/hda1
";

fn why(text: &str) -> Vec<(usize, String)> {
    let problems = parse(text).unwrap_err();
    problems.into_iter().map(|p| (p.line, p.why)).collect()
}

#[test]
fn as_the_original_writes_it() {
    let rows = parse(WELL).unwrap();
    assert_eq!(rows.len(), 3);
    assert_eq!(
        rows[0],
        Row {
            line: 2,
            node: 1,
            address: "10.77.0.1".parse().unwrap(),
            hardware: Some("00:11:22:aa:bb:01".to_owned()),
            boot: Some(Boot::Pxe),
            init: true,
            device: Some("/dev/sda1".to_owned()),
        }
    );
    assert_eq!(rows[1].line, 4);
    assert_eq!(rows[1].hardware.as_deref(), Some("00:11:22:aa:bb:02"));
    assert_eq!((rows[1].boot, rows[1].init), (Some(Boot::Etherboot), false));
    assert_eq!(rows[1].device, None);
    assert_eq!((&rows[2].hardware, rows[2].boot), (&None, None));
    assert!(rows[2].init);
}

#[test]
fn every_mistake_has_its_line() {
    let line = |columns: [&str; 6]| columns.join("\t");
    let well = ["1", "10.0.0.1", "00:11:22:aa:bb:cc", "P", "1", ""];
    for (column, wrong, expected) in [
        (0, "0", "Node 0 is no number from 1 to 511"),
        (0, "512", "Node 512 is no number from 1 to 511"),
        (
            1,
            "10.0.0",
            "IP-address 10.0.0 is no address, like 10.77.0.1",
        ),
        (
            1,
            "127.0.0.1",
            "IP-address 127.0.0.1 is not that of one node",
        ),
        (
            2,
            "00:11",
            "Hardware-address 00:11 is none, like 00:11:22:aa:bb:cc",
        ),
        (3, "X", "Boot-Prot X is neither P (PXE) nor E (Etherboot)"),
        (4, "yes", "Initnode? yes is neither 1 (yes) nor 0 (no)"),
    ] {
        let mut columns = well;
        columns[column] = wrong;
        let text = format!("#\n\n{}\n", line(columns));
        assert_eq!(why(&text), [(3, expected.to_owned())], "{text}");
    }
    let spaces = why("1 10.0.0.1 00:11:22:aa:bb:cc P 1\n");
    assert!(
        spaces[0].1.starts_with("column IP-address is missing"),
        "{spaces:?}"
    );
    let many = why(&format!("{}\tmore\tand more", line(["1"; 6])));
    assert!(many[0].1.starts_with("8 columns are too many"), "{many:?}");
}

#[test]
fn what_only_the_whole_file_shows() {
    let twice = why("1\t10.0.0.1\t00:11:22:aa:bb:cc\tP\t1\n1\t10.0.0.1\t0:11:22:AA:bb:cc\tP\t0\n");
    assert_eq!(
        twice,
        [
            (2, "node 1 is in line 1 already".to_owned()),
            (2, "IP-address 10.0.0.1 is in line 1 already".to_owned()),
            (
                2,
                "Hardware-address 00:11:22:aa:bb:cc is in line 1 already".to_owned()
            ),
        ]
    );
    assert_eq!(
        why("#\n1\t10.0.0.1\t-\tP\t0\n")[0],
        (
            2,
            "no node is an init node: one must have 1 as Initnode?".to_owned()
        )
    );
    assert_eq!(why("")[0], (1, "there is no node in it".to_owned()));
}

/// A node by its number, so that nothing in a table repeats.
fn a_row() -> impl Strategy<Value = Row> {
    (
        1..=LARGEST_NUMBER,
        any::<bool>(),
        any::<bool>(),
        prop_oneof![
            Just(None),
            Just(Some(Boot::Pxe)),
            Just(Some(Boot::Etherboot))
        ],
        any::<bool>(),
        proptest::option::of("/dev/[a-z]{1,4}[0-9]"),
    )
        .prop_map(|(node, v6, card, boot, init, device)| Row {
            line: 0,
            node,
            address: if v6 {
                format!("fd77::{node:x}").parse().unwrap()
            } else {
                format!("10.77.{}.{}", node >> 8, node & 255)
                    .parse()
                    .unwrap()
            },
            hardware: card.then(|| format!("02:00:00:00:{:02x}:{:02x}", node >> 8, node & 255)),
            boot,
            init,
            device,
        })
}

fn written(row: &Row) -> String {
    [
        row.node.to_string(),
        row.address.to_string(),
        row.hardware.clone().unwrap_or_default(),
        match row.boot {
            Some(Boot::Pxe) => "P".to_owned(),
            Some(Boot::Etherboot) => "E".to_owned(),
            None => String::new(),
        },
        u8::from(row.init).to_string(),
        row.device.clone().unwrap_or_default(),
    ]
    .join("\t")
}

proptest! {
    /// What was written is what is read, whatever stands between the lines.
    #[test]
    fn a_table_survives(
        rows in vec((a_row(), "(\n|#[ -~\t]{0,20}\n|[ \t]{0,3}\n){0,3}"), 1..20)
    ) {
        let mut rows = rows;
        rows.sort_by_key(|(row, _)| row.node);
        rows.dedup_by_key(|(row, _)| row.node);
        rows[0].0.init = true;
        let mut text = String::new();
        for (row, between) in &mut rows {
            text.push_str(between);
            text.push_str(&written(row));
            text.push_str("\t # a comment\n");
            row.line = text.lines().count();
        }
        let rows: Vec<_> = rows.into_iter().map(|(row, _)| row).collect();
        prop_assert_eq!(parse(&text), Ok(rows));
    }

    /// Whatever a file holds, it is read or refused, by lines that it has.
    #[test]
    fn anything_is_read_or_refused(text in "([0-9a-fPE:.#\t \n-]|\\PC){0,200}") {
        match parse(&text) {
            Ok(rows) => {
                prop_assert!(rows.iter().any(|row| row.init));
                prop_assert!(rows.iter().all(|row| (1..=LARGEST_NUMBER).contains(&row.node)));
            }
            Err(problems) => {
                prop_assert!(!problems.is_empty());
                let lines = text.lines().count().max(1);
                prop_assert!(problems.iter().all(|p| (1..=lines).contains(&p.line)));
            }
        }
    }
}
