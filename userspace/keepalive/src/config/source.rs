//! One file: its tables, and on which line everything stands.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use toml::Spanned;
use toml::de::{DeTable, DeValue, ValueDeserializer};

use super::mistake::Mistake;
use super::suggest;

/// What a file may have at its outermost.
const TABLES: [&str; 2] = ["process", "group"];

/// Where a table and its fields stand.
#[derive(Clone, Debug)]
pub(crate) struct At {
    file: PathBuf,
    line: usize,
    fields: BTreeMap<String, usize>,
}

impl At {
    /// Something is wrong with this field, or with the table if it has no such field.
    pub(crate) fn mistake(&self, field: &str, message: String) -> Mistake {
        Mistake {
            file: self.file.clone(),
            line: self.fields.get(field).copied().unwrap_or(self.line),
            message,
        }
    }

    /// As `file:line`, of the table.
    pub(crate) fn place(&self) -> String {
        format!("{}:{}", self.file.display(), self.line)
    }
}

/// A file that is being read.
pub(crate) struct Source<'a> {
    path: &'a Path,
    /// Where its lines end.
    ends: Vec<usize>,
    root: DeTable<'a>,
    /// What was wrong so far.
    pub(crate) mistakes: Vec<Mistake>,
}

impl<'a> Source<'a> {
    /// Reads the text as TOML.
    pub(crate) fn parse(path: &'a Path, text: &'a str) -> Result<Self, Mistake> {
        let mut source = Self {
            path,
            ends: text.match_indices('\n').map(|(at, _)| at).collect(),
            root: DeTable::new(),
            mistakes: Vec::new(),
        };
        match DeTable::parse(text) {
            Ok(root) => source.root = root.into_inner(),
            Err(error) => return Err(source.complaint(&error)),
        }
        source.outermost();
        Ok(source)
    }

    fn outermost(&mut self) {
        let unknown = self.root.keys();
        let unknown: Vec<_> = unknown
            .filter(|key| !TABLES.contains(&key.get_ref().as_ref()))
            .map(|key| {
                let word = key.get_ref();
                let known = "a file has [[process]] and [[group]]";
                let hint = suggest::hint(word, TABLES);
                let message = format!("unknown \"{word}\": {known}{hint}");
                self.mistake(key.span().start, message)
            })
            .collect();
        self.mistakes.extend(unknown);
    }

    /// Takes all tables of this name out of the file.
    pub(crate) fn tables<T: DeserializeOwned>(&mut self, name: &str) -> Vec<(T, At)> {
        let Some(value) = self.root.remove(name) else {
            return Vec::new();
        };
        let start = value.span().start;
        let DeValue::Array(tables) = value.into_inner() else {
            let message = format!("\"{name}\" is a list of tables: write [[{name}]]");
            self.mistakes.push(self.mistake(start, message));
            return Vec::new();
        };
        let mut read = Vec::new();
        for table in tables {
            match self.table(table) {
                Ok(table) => read.push(table),
                Err(mistake) => self.mistakes.push(mistake),
            }
        }
        read
    }

    fn table<T: DeserializeOwned>(&self, table: Spanned<DeValue<'a>>) -> Result<(T, At), Mistake> {
        let line = self.line(table.span().start);
        let fields = table.get_ref().as_table().into_iter().flatten();
        let at = At {
            file: self.path.to_owned(),
            line,
            fields: fields
                .map(|(key, _)| (key.get_ref().to_string(), self.line(key.span().start)))
                .collect(),
        };
        let span = table.span();
        match T::deserialize(ValueDeserializer::from(table)) {
            Ok(read) => Ok((read, at)),
            Err(error) => {
                let start = error.span().map_or(span.start, |span| span.start);
                Err(self.mistake(start, suggest::better(error.message())))
            }
        }
    }

    fn complaint(&self, error: &toml::de::Error) -> Mistake {
        let start = error.span().map_or(0, |span| span.start);
        self.mistake(start, suggest::better(error.message()))
    }

    fn mistake(&self, start: usize, message: String) -> Mistake {
        Mistake {
            file: self.path.to_owned(),
            line: self.line(start),
            message,
        }
    }

    fn line(&self, start: usize) -> usize {
        1 + self.ends.partition_point(|&end| end < start)
    }
}
