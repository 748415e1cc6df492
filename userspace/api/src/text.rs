//! How programs of ssi print, whatever they print.

use std::io::{self, Write as _};

use serde::Serialize;

/// Version of the objects that `-o json` prints.
pub const JSON_VERSION: u32 = 1;

/// Text without control characters: names and reasons come from other machines, and must
/// not move anybody's cursor.
#[must_use]
pub fn plain(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect()
}

/// Prints. A reader that has seen enough (`| head`) is no error.
///
/// # Errors
/// It can't be written.
pub fn print(text: &str) -> io::Result<()> {
    send(text).map(drop)
}

/// Prints, and says whether there still is a reader.
///
/// # Errors
/// It can't be written.
pub fn send(text: &str) -> io::Result<bool> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(e) if e.kind() == io::ErrorKind::BrokenPipe => Ok(false),
        result => result.map(|()| true),
    }
}

/// Prints an object as `-o json` has it; its fields are in alphabetical order, a version among
/// them.
///
/// # Errors
/// It can't be written.
pub fn print_json(object: &impl Serialize) -> io::Result<()> {
    let mut text = serde_json::to_string_pretty(object).map_err(io::Error::other)?;
    text.push('\n');
    print(&text)
}
