use std::io::{self, BufRead, IsTerminal};

use crate::fail::Fail;

/// A token is shorter than this many bytes.
const LONGEST: u64 = 64 << 10;

/// The token that was given: itself, or with `-` the first line of standard input, which
/// no list of processes shows.
pub(super) fn token(given: &str) -> Result<String, Fail> {
    if given != "-" {
        return checked(given);
    }
    let stdin = io::stdin();
    if stdin.is_terminal() {
        eprint!("Token: ");
    }
    checked(&first_line(stdin.lock())?)
}

fn first_line(input: impl BufRead) -> Result<String, Fail> {
    let mut line = String::new();
    input
        .take(LONGEST)
        .read_line(&mut line)
        .map_err(|e| Fail::Failed(format!("cannot read the token: {e}")))?;
    Ok(line)
}

fn checked(token: &str) -> Result<String, Fail> {
    let token = token.trim();
    let why = if token.is_empty() {
        "there is no token"
    } else if token.contains(|c: char| c.is_whitespace() || c.is_control()) {
        "a token is one word"
    } else {
        return Ok(token.to_owned());
    };
    Err(Fail::Usage(format!(
        "{why}; make one on a node of the cluster with: ssi token"
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_is_the_token() {
        let read = |text: &str| first_line(text.as_bytes()).and_then(|line| checked(&line));
        assert_eq!(read(" ssi1-abc \nmore\n").unwrap(), "ssi1-abc");
        assert_eq!(token("ssi1-abc").unwrap(), "ssi1-abc");
        for wrong in ["", "\n", "two words\n", "a\u{1b}[2J\n"] {
            match read(wrong) {
                Err(Fail::Usage(why)) => assert!(why.ends_with("with: ssi token"), "{why}"),
                other => panic!("{wrong:?}: {other:?}"),
            }
        }
    }
}
