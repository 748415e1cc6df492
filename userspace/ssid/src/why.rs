//! An error in one line, for people.

/// The error and its causes. Many of our errors tell their cause themselves, for those who
/// print nothing but them; then it is not told twice.
pub(crate) fn why(error: &anyhow::Error) -> String {
    let mut text = String::new();
    for cause in error.chain() {
        let cause = cause.to_string();
        if text.contains(&cause) {
            continue;
        }
        if !text.is_empty() {
            text += ": ";
        }
        text += &cause;
    }
    text
}

#[cfg(test)]
mod tests {
    use anyhow::{Context as _, anyhow};

    use super::*;

    #[test]
    fn every_cause_is_told_once() {
        let inner: anyhow::Result<()> = Err(anyhow!("no such file"));
        let outer = inner.context("cannot read ssi.toml: no such file");
        let error = outer.context("cannot start").unwrap_err();
        assert_eq!(
            why(&error),
            "cannot start: cannot read ssi.toml: no such file"
        );
    }
}
