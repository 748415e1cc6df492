//! Numbers in text.

/// A decimal number without anything around it; `None` if it is something else or too
/// large.
pub(crate) fn number<T>(text: &[u8]) -> Option<T>
where
    T: std::str::FromStr,
{
    // `parse` takes a plus sign, which the kernel doesn't write.
    if text.first() == Some(&b'+') {
        return None;
    }
    std::str::from_utf8(text).ok()?.parse().ok()
}

/// The words of a line.
pub(crate) fn words(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split(u8::is_ascii_whitespace)
        .filter(|word| !word.is_empty())
}

/// What follows "NAME:" on a line of its own.
pub(crate) fn value<'a>(text: &'a [u8], name: &str) -> Option<&'a [u8]> {
    text.split(|byte| *byte == b'\n')
        .find_map(|line| line.strip_prefix(name.as_bytes())?.strip_prefix(b":"))
}

/// What follows "NAME=".
pub(crate) fn value_of<'a>(word: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    word.strip_prefix(name)?.strip_prefix(b"=")
}
