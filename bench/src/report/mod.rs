//! What was measured, as a table, as JSON and as plots.

mod json;
mod plot;
mod table;

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

pub(crate) use json::document;
pub(crate) use table::tables;

use crate::measure::Section;

/// Writes a JSON document of this name and a plot of each section.
pub(crate) fn write(directory: &Path, name: &str, sections: &[Section]) -> Result<()> {
    let place = || directory.display().to_string();
    fs::create_dir_all(directory).with_context(place)?;
    let json = directory.join(format!("{name}.json"));
    fs::write(&json, document(sections)?).with_context(|| json.display().to_string())?;
    for section in sections {
        let file = directory.join(format!("{}.svg", section.name));
        plot::draw(&file, section).with_context(|| file.display().to_string())?;
    }
    Ok(())
}
