//! Names and numbers of signals.

use nix::libc;
use nix::sys::signal::Signal;

/// The first signal of real time, as programs see them.
const RTMIN: i32 = 34;
/// The last signal.
const LAST: i32 = 64;

/// A signal by its number or its name, with `SIG` or without.
pub(crate) fn number(text: &str) -> Result<i32, String> {
    let name = text.to_ascii_uppercase();
    let name = name.strip_prefix("SIG").unwrap_or(&name);
    by_number(name)
        .or_else(|| real_time(name))
        .or_else(|| by_name(name))
        .ok_or_else(|| format!("there is no signal {text}; see: ssi kill -l"))
}

fn by_number(text: &str) -> Option<i32> {
    let only = text.bytes().all(|byte| byte.is_ascii_digit());
    let number = only.then(|| text.parse().ok()).flatten()?;
    (0..=LAST).contains(&number).then_some(number)
}

fn by_name(name: &str) -> Option<i32> {
    let other = match name {
        "EXIT" => Some(0),
        "POLL" => Some(libc::SIGIO),
        "IOT" => Some(libc::SIGABRT),
        "CLD" => Some(libc::SIGCHLD),
        _ => None,
    };
    other.or_else(|| {
        format!("SIG{name}")
            .parse()
            .ok()
            .map(|signal: Signal| signal as i32)
    })
}

fn real_time(name: &str) -> Option<i32> {
    let (from, rest) = match name.strip_prefix("RTMIN") {
        Some(rest) => (RTMIN, rest),
        None => (LAST, name.strip_prefix("RTMAX")?),
    };
    let more = match rest.split_at_checked(1) {
        None => 0,
        Some(("+", more)) => by_number(more)?,
        Some(("-", less)) => -by_number(less)?,
        Some(_) => return None,
    };
    Some(from + more).filter(|number| (RTMIN..=LAST).contains(number))
}

/// A signal's name, without `SIG`.
pub(crate) fn name(number: i32) -> String {
    match (number, Signal::try_from(number)) {
        (_, Ok(signal)) => signal.as_str().trim_start_matches("SIG").to_owned(),
        (0, _) => "EXIT".to_owned(),
        (RTMIN, _) => "RTMIN".to_owned(),
        (RTMIN.., _) => format!("RTMIN+{}", number - RTMIN),
        _ => number.to_string(),
    }
}

/// All numbers and names.
pub(crate) fn list() -> String {
    let known = (1..=LAST).filter(|number| *number >= RTMIN || Signal::try_from(*number).is_ok());
    known
        .map(|number| format!("{number:2} {}\n", name(number)))
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn by_number_and_by_name() {
        for (text, wanted) in [
            ("9", 9),
            ("KILL", 9),
            ("sigterm", 15),
            ("0", 0),
            ("RTMIN", 34),
            ("RTMIN+3", 37),
            ("RTMAX-1", 63),
            ("CLD", 17),
        ] {
            assert_eq!(number(text), Ok(wanted), "{text}");
        }
        for none in [
            "", "65", "-1", "FROB", "RTMIN-1", "RTMAX+1", "RTMIN+", "SIG",
        ] {
            assert!(number(none).is_err(), "{none}");
        }
        assert!(list().starts_with(" 1 HUP\n") && list().ends_with("64 RTMIN+30\n"));
    }

    proptest! {
        #[test]
        fn names_come_back(signal in 0..=LAST) {
            prop_assert_eq!(number(&name(signal)), Ok(signal));
        }

        #[test]
        fn anything_is_taken(text: String) {
            let _ = number(&text);
        }
    }
}
