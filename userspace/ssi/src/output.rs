//! How results are printed: for people, for people with wide screens, for programs.

use std::fmt;
use std::io::{self, BufWriter, IsTerminal, Write};
use std::str::FromStr;

use clap::ValueEnum;
use comfy_table::{Table, presets};
use serde::ser::SerializeMap as _;
use serde::{Serialize, Serializer};
use ssi_api::lvs::UnknownName;
use ssi_api::text::JSON_VERSION;
pub(crate) use ssi_api::text::{plain, print, send};

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

/// Prints what [`json`] says of `fields`, without having all of it at once.
pub(crate) fn print_json(fields: &[(&str, &dyn erased::Json)]) -> io::Result<()> {
    let mut out = BufWriter::new(io::stdout().lock());
    let written = stream(fields, &mut out).and_then(|()| out.flush());
    match written {
        Err(e) if e.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written,
    }
}

fn stream(fields: &[(&str, &dyn erased::Json)], out: &mut dyn Write) -> io::Result<()> {
    let mut fields = fields.to_vec();
    fields.push(("version", &JSON_VERSION));
    // As those of all our objects.
    fields.sort_by_key(|(name, _)| *name);
    let mut serializer = serde_json::Serializer::pretty(out);
    let mut object = serializer.serialize_map(Some(fields.len()))?;
    for (name, value) in fields {
        value.stream(name, &mut object)?;
    }
    object.end()?;
    serializer.into_inner().write_all(b"\n")
}

/// A long list for [`print_json`], of which one element at a time is looked at.
pub(crate) struct Each<'a, T>(pub(crate) &'a [T]);

impl<T: Serialize> Serialize for Each<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(
            self.0
                .iter()
                .map(|element| serde_json::to_value(element).ok()),
        )
    }
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
    use std::io::Write;

    use serde::Serializer;
    use serde::ser::SerializeMap;
    use serde_json::ser::PrettyFormatter;

    use super::Serialize;

    type Pretty<'a, 'b> =
        &'a mut serde_json::Serializer<&'b mut dyn Write, PrettyFormatter<'static>>;
    /// An object that is being written.
    pub(super) type Object<'a, 'b> = <Pretty<'a, 'b> as Serializer>::SerializeMap;

    pub(crate) trait Json {
        fn json(&self) -> serde_json::Value;

        /// Writes it, as it is, into an object.
        fn stream(&self, name: &str, into: &mut Object<'_, '_>) -> serde_json::Result<()>;
    }

    impl<T: Serialize> Json for T {
        fn json(&self) -> serde_json::Value {
            // Our types have string keys only, so this cannot fail.
            serde_json::to_value(self).unwrap_or_default()
        }

        fn stream(&self, name: &str, into: &mut Object<'_, '_>) -> serde_json::Result<()> {
            into.serialize_entry(name, self)
        }
    }
}

/// Whether people read what we print as we print it.
pub(crate) fn to_terminal() -> bool {
    io::stdout().is_terminal()
}

/// Where lines are cut: at the edge of the terminal, if there is one.
pub(crate) fn width() -> Option<usize> {
    if !to_terminal() {
        return None;
    }
    let size = rustix::termios::tcgetwinsize(io::stdout()).ok()?;
    Some(usize::from(size.ws_col)).filter(|columns| *columns > 0)
}

/// Whether to colour: on a terminal, unless `NO_COLOR` says otherwise (no-color.org).
pub(crate) fn colour() -> bool {
    std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()) && to_terminal()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_streamed_is_what_is_printed_at_once() {
        #[derive(Serialize)]
        struct Thing {
            z: u32,
            a: Option<&'static str>,
        }
        let things = [
            Thing { z: 1, a: None },
            Thing {
                z: 2,
                a: Some("x\n"),
            },
        ];
        let none: [Thing; 0] = [];
        let whole = json(&[("things", &things), ("here", &7), ("none", &none)]);
        let mut streamed = Vec::new();
        let fields: [(&str, &dyn erased::Json); 3] = [
            ("things", &Each(&things)),
            ("here", &7),
            ("none", &Each(&none)),
        ];
        stream(&fields, &mut streamed).expect("a vector takes it");
        assert_eq!(String::from_utf8_lossy(&streamed), whole);
    }
}
