//! How results are printed: for people, for people with wide screens, for programs.

use std::fmt;
use std::io::{self, IsTerminal, Write};
use std::str::FromStr;

use clap::ValueEnum;
use comfy_table::{Table, presets};
use serde::Serialize;
use ssi_api::lvs::UnknownName;

/// Output format.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// A table.
    #[default]
    Table,
    /// A table with more columns.
    Wide,
    /// One JSON object, with a version field.
    Json,
}

impl FromStr for Format {
    type Err = UnknownName;

    fn from_str(name: &str) -> Result<Self, UnknownName> {
        match name {
            "table" => Ok(Self::Table),
            "wide" => Ok(Self::Wide),
            "json" => Ok(Self::Json),
            _ => Err(UnknownName {
                kind: "output format",
                name: name.to_owned(),
                known: "table, wide, json",
            }),
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Table => "table",
            Self::Wide => "wide",
            Self::Json => "json",
        })
    }
}

/// Version of the objects that `-o json` prints.
const JSON_VERSION: u32 = 1;

/// What `-o json` prints: `{"version":1, NAME: …}`.
pub(crate) fn json(fields: &[(&str, &dyn erased::Json)]) -> String {
    let mut text = serde_json::to_string_pretty(&object(fields)).unwrap_or_default();
    text.push('\n');
    text
}

/// The same in one line, where one object follows the other.
pub(crate) fn json_line(fields: &[(&str, &dyn erased::Json)]) -> String {
    let mut text = serde_json::to_string(&object(fields)).unwrap_or_default();
    text.push('\n');
    text
}

fn object(fields: &[(&str, &dyn erased::Json)]) -> serde_json::Map<String, serde_json::Value> {
    let mut object = serde_json::Map::new();
    object.insert("version".to_owned(), JSON_VERSION.into());
    for (name, value) in fields {
        object.insert((*name).to_owned(), value.json());
    }
    object
}

/// Anything that can be JSON, behind one pointer.
pub(crate) mod erased {
    use super::Serialize;

    pub(crate) trait Json {
        fn json(&self) -> serde_json::Value;
    }

    impl<T: Serialize> Json for T {
        fn json(&self) -> serde_json::Value {
            // Our types have string keys only, so this cannot fail.
            serde_json::to_value(self).unwrap_or_default()
        }
    }
}

/// Whether people read what we print as we print it.
pub(crate) fn to_terminal() -> bool {
    io::stdout().is_terminal()
}

/// Whether to colour: on a terminal, unless `NO_COLOR` says otherwise (no-color.org).
pub(crate) fn colour() -> bool {
    std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()) && to_terminal()
}

/// Text without control characters: names and reasons come from other machines, and must
/// not move anybody's cursor.
pub(crate) fn plain(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect()
}

/// Prints. A reader that has seen enough (`| head`) is no error.
pub(crate) fn print(text: &str) -> io::Result<()> {
    send(text).map(drop)
}

/// Prints, and says whether there still is a reader.
pub(crate) fn send(text: &str) -> io::Result<bool> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(e) if e.kind() == io::ErrorKind::BrokenPipe => Ok(false),
        result => result.map(|()| true),
    }
}

/// A table without lines, its cells in columns.
pub(crate) fn table<const N: usize>(header: [&str; N], rows: Vec<[String; N]>) -> String {
    let mut table = Table::new();
    table.load_preset(presets::NOTHING);
    table.set_header(header);
    for row in rows {
        table.add_row(row.map(|cell| plain(&cell)));
    }
    trimmed(&table)
}

/// A table as text, without the spaces at the ends of its lines.
pub(crate) fn trimmed(table: &Table) -> String {
    let mut text = String::new();
    for line in table.lines() {
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}
