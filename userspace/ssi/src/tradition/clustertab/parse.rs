use std::collections::BTreeMap;
use std::net::IpAddr;

use serde::Serialize;

/// The columns, by the names of the original.
const COLUMNS: [&str; 6] = [
    "Node",
    "IP-address",
    "Hardware-address",
    "Boot-Prot",
    "Initnode?",
    "Boot-device",
];

/// Columns that a line must have: all but the last.
const NEEDED: usize = 5;

/// The largest node number that a cluster founded by `ssi init` has.
const LARGEST_NUMBER: u16 = 511;

/// A node as its line describes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Row {
    /// Where it stands, from 1.
    #[serde(skip)]
    pub(super) line: usize,
    /// Its number.
    pub(super) node: u16,
    /// Its address on the interconnect.
    pub(super) address: IpAddr,
    /// The address of its network card.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) hardware: Option<String>,
    /// How it finds its kernel.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) boot: Option<Boot>,
    /// Whether it can be the node that everything starts from.
    pub(super) init: bool,
    /// Where its own boot partition is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) device: Option<String>,
}

/// How a node boots over the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Boot {
    Pxe,
    Etherboot,
}

/// What is wrong with a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Problem {
    /// Which, from 1.
    pub(super) line: usize,
    /// What, and what would be right.
    pub(super) why: String,
}

/// Reads a whole file.
///
/// # Errors
/// Everything that is wrong with it, by line.
pub(super) fn parse(text: &str) -> Result<Vec<Row>, Vec<Problem>> {
    let (mut rows, mut problems) = (Vec::new(), Vec::new());
    for (line, content) in (1..).zip(text.lines()) {
        let content = content.split('#').next().unwrap_or_default();
        if content.trim().is_empty() {
            continue;
        }
        match row(line, content) {
            Ok(row) => rows.push(row),
            Err(why) => problems.push(Problem { line, why }),
        }
    }
    problems.extend(twice(&rows, |row| Some((row.node, "node"))));
    problems.extend(twice(&rows, |row| Some((row.address, "IP-address"))));
    problems.extend(twice(&rows, |row| {
        Some((row.hardware.clone()?, "Hardware-address"))
    }));
    if problems.is_empty() && !rows.iter().any(|row| row.init) {
        let (line, why) = match rows.first() {
            Some(row) => (
                row.line,
                "no node is an init node: one must have 1 as Initnode?",
            ),
            None => (text.lines().count().max(1), "there is no node in it"),
        };
        let why = why.to_owned();
        problems.push(Problem { line, why });
    }
    if problems.is_empty() {
        return Ok(rows);
    }
    problems.sort_by_key(|problem| problem.line);
    Err(problems)
}

/// Rows that say again what must be unique.
fn twice<K: Ord + ToString>(
    rows: &[Row],
    key: impl Fn(&Row) -> Option<(K, &'static str)>,
) -> Vec<Problem> {
    let mut first: BTreeMap<K, usize> = BTreeMap::new();
    let mut problems = Vec::new();
    for row in rows {
        let Some((key, what)) = key(row) else {
            continue;
        };
        let line = row.line;
        let name = key.to_string();
        if let Some(before) = first.get(&key) {
            let why = format!("{what} {name} is in line {before} already");
            problems.push(Problem { line, why });
        } else {
            first.insert(key, line);
        }
    }
    problems
}

/// Reads a line. A tab separates columns, so that one can be empty; people also align them
/// with several tabs, and if the line makes sense only then, that is meant.
fn row(line: usize, content: &str) -> Result<Row, String> {
    let exact: Vec<_> = content.trim_end().split('\t').map(str::trim).collect();
    let aligned: Vec<_> = exact.iter().copied().filter(|f| !f.is_empty()).collect();
    fields(line, &exact).or_else(|why| {
        fields(line, &aligned).map_err(|other| {
            if exact.len() > COLUMNS.len() {
                other
            } else {
                why
            }
        })
    })
}

fn fields(line: usize, fields: &[&str]) -> Result<Row, String> {
    if fields.len() < NEEDED {
        return Err(format!(
            "column {} is missing; the columns, separated by tabs, are: {}",
            COLUMNS[fields.len()],
            COLUMNS.join(", ")
        ));
    }
    if fields.len() > COLUMNS.len() {
        return Err(format!(
            "{} columns are too many; they are: {}",
            fields.len(),
            COLUMNS.join(", ")
        ));
    }
    Ok(Row {
        line,
        node: node(fields[0])?,
        address: address(fields[1])?,
        hardware: given(fields[2]).map(hardware).transpose()?,
        boot: given(fields[3]).map(boot).transpose()?,
        init: init(fields[4])?,
        device: fields.get(5).copied().and_then(given).map(str::to_owned),
    })
}

/// A column that may be empty, or a dash.
fn given(field: &str) -> Option<&str> {
    Some(field).filter(|field| !field.is_empty() && *field != "-")
}

fn node(field: &str) -> Result<u16, String> {
    field
        .parse()
        .ok()
        .filter(|number| (1..=LARGEST_NUMBER).contains(number))
        .ok_or_else(|| format!("Node {field} is no number from 1 to {LARGEST_NUMBER}"))
}

fn address(field: &str) -> Result<IpAddr, String> {
    let address: IpAddr = field
        .parse()
        .map_err(|_| format!("IP-address {field} is no address, like 10.77.0.1"))?;
    if address.is_unspecified() || address.is_multicast() || address.is_loopback() {
        return Err(format!("IP-address {field} is not that of one node"));
    }
    Ok(address)
}

/// Six hexadecimal bytes, written alike.
fn hardware(field: &str) -> Result<String, String> {
    let wrong = || format!("Hardware-address {field} is none, like 00:11:22:aa:bb:cc");
    let bytes = field
        .split([':', '-'])
        .map(|byte| match byte.len() {
            1 | 2 => u8::from_str_radix(byte.trim_start_matches('+'), 16).ok(),
            _ => None,
        })
        .collect::<Option<Vec<u8>>>()
        .filter(|bytes| bytes.len() == 6)
        .ok_or_else(wrong)?;
    let written: Vec<_> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(written.join(":"))
}

fn boot(field: &str) -> Result<Boot, String> {
    match field {
        "P" | "p" => Ok(Boot::Pxe),
        "E" | "e" => Ok(Boot::Etherboot),
        _ => Err(format!(
            "Boot-Prot {field} is neither P (PXE) nor E (Etherboot)"
        )),
    }
}

fn init(field: &str) -> Result<bool, String> {
    match field {
        "1" => Ok(true),
        "0" => Ok(false),
        _ => Err(format!("Initnode? {field} is neither 1 (yes) nor 0 (no)")),
    }
}

#[cfg(test)]
mod tests;
