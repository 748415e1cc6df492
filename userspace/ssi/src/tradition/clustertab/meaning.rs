//! What a clustertab means to `ssi`.

use std::fmt::Write;

use serde::Serialize;

use super::parse::Row;
use crate::output;

/// What one node has to do.
#[derive(Debug, Serialize)]
pub(super) struct Meaning<'a> {
    #[serde(flatten)]
    row: &'a Row,
    /// Whether the cluster begins with it.
    founds: bool,
    /// Whether it may become the master.
    potential_master: bool,
    /// What its configuration, `ssi.toml`, has to say before.
    config: String,
    /// What to run on it. `NAME` is up to you, `TOKEN` is what `ssi token` prints.
    command: String,
}

/// What the nodes of a table have to do, the founder first, then by number. The init node
/// with the lowest number founds; the init nodes are the potential masters.
pub(super) fn meanings(rows: &[Row]) -> Vec<Meaning<'_>> {
    let founder = rows
        .iter()
        .filter(|row| row.init)
        .min_by_key(|row| row.node);
    let mut meanings: Vec<_> = rows
        .iter()
        .map(|row| {
            let founds = founder == Some(row);
            let command = match founder {
                Some(founder) if !founds => {
                    let host = founder.address;
                    format!("ssi join {host} TOKEN --number {}", row.node)
                }
                _ => format!("ssi init NAME --number {}", row.node),
            };
            Meaning {
                row,
                founds,
                potential_master: row.init,
                config: config(row),
                command,
            }
        })
        .collect();
    meanings.sort_by_key(|meaning| (!meaning.founds, meaning.row.node));
    meanings
}

/// The address is the one of the table, and only init nodes may become the master.
fn config(row: &Row) -> String {
    let mut config = format!("[node]\naddresses = [\"{}\"]\n", row.address);
    if !row.init {
        config.push_str("[cluster]\npotential_master = false\n");
    }
    config
}

/// As people read it.
pub(super) fn text(file: &str, meanings: &[Meaning]) -> String {
    let masters: Vec<_> = meanings
        .iter()
        .filter(|meaning| meaning.potential_master)
        .map(|meaning| meaning.row.node.to_string())
        .collect();
    let rows = meanings.iter().map(|meaning| {
        let role = match (meaning.founds, meaning.potential_master) {
            (true, _) => "founds the cluster",
            (false, true) => "potential master",
            (false, false) => "",
        };
        [
            meaning.row.node.to_string(),
            meaning.row.address.to_string(),
            role.to_owned(),
            meaning.command.clone(),
        ]
    });
    let mut text = output::table(
        ["NODE", "ADDRESS", "ROLE", "WHAT TO RUN THERE"],
        rows.collect(),
    );
    let _ = write!(
        text,
        "
{}: {} nodes. NAME is the cluster's name, TOKEN what `ssi token` prints on the
founder once it is there; the others may join at the same time. Before that, in
/etc/ssi/ssi.toml of each: [node] addresses = [\"its ADDRESS\"]
",
        output::plain(file),
        meanings.len(),
    );
    if masters.len() < meanings.len() {
        let _ = writeln!(
            text,
            "and, but for the potential masters ({}): [cluster] potential_master = false",
            masters.join(", ")
        );
    }
    if meanings
        .iter()
        .any(|m| m.row.boot.is_some() || m.row.device.is_some())
    {
        text.push_str(
            "Each node boots its own Linux: Boot-Prot and Boot-device mean nothing here.\n",
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::super::parse::parse;
    use super::*;

    #[test]
    fn who_founds_and_who_joins() {
        let rows = parse(
            "3\t10.77.0.3\t-\tP\t1\t/dev/sda1\n1\t10.77.0.1\t-\tE\t0\n2\tfd77::2\t-\tP\t1\t/dev/sda1\n",
        )
        .unwrap();
        let meanings = meanings(&rows);
        assert_eq!(
            text("/etc/clustertab", &meanings),
            " NODE  ADDRESS    ROLE                WHAT TO RUN THERE
 2     fd77::2    founds the cluster  ssi init NAME --number 2
 1     10.77.0.1                      ssi join fd77::2 TOKEN --number 1
 3     10.77.0.3  potential master    ssi join fd77::2 TOKEN --number 3

/etc/clustertab: 3 nodes. NAME is the cluster's name, TOKEN what `ssi token` prints on the
founder once it is there; the others may join at the same time. Before that, in
/etc/ssi/ssi.toml of each: [node] addresses = [\"its ADDRESS\"]
and, but for the potential masters (2, 3): [cluster] potential_master = false
Each node boots its own Linux: Boot-Prot and Boot-device mean nothing here.
"
        );
        let json = serde_json::to_value(&meanings).unwrap();
        assert_eq!(json[0]["founds"], true);
        assert_eq!(json[0]["config"], "[node]\naddresses = [\"fd77::2\"]\n");
        assert_eq!(json[1]["boot"], "etherboot");
        assert_eq!(json[1]["command"], "ssi join fd77::2 TOKEN --number 1");
    }
}
