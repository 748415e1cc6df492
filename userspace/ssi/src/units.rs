//! How durations, moments and amounts are written.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use jiff::tz::TimeZone;
use jiff::{Span, SpanRelativeTo, Timestamp};

/// What time it is, and where: moments are written in local time.
#[derive(Clone, Debug)]
pub(crate) struct Clock {
    now: u64,
    zone: TimeZone,
}

impl Clock {
    /// Now, here.
    pub(crate) fn system() -> Self {
        Self {
            now: SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .map_or(0, |since| since.as_secs()),
            zone: TimeZone::system(),
        }
    }

    /// Another moment, in seconds since 1970, in UTC.
    #[cfg(test)]
    pub(crate) const fn utc(now: u64) -> Self {
        Self {
            now,
            zone: TimeZone::UTC,
        }
    }

    /// How long ago `then` was, in seconds since 1970.
    pub(crate) fn since(&self, then: u64) -> String {
        duration(self.now.saturating_sub(then))
    }

    /// How many seconds ago `then` was.
    pub(crate) const fn age(&self, then: u64) -> u64 {
        self.now.saturating_sub(then)
    }

    /// How long it is until `then`.
    pub(crate) fn until(&self, then: u64) -> String {
        duration(then.saturating_sub(self.now))
    }

    /// `then`, in seconds since 1970, as date and time.
    pub(crate) fn date(&self, then: u64) -> String {
        self.format(then, "%F %T")
    }

    /// The time of day now.
    pub(crate) fn time(&self) -> String {
        self.time_of(self.now)
    }

    /// The time of day of `then`.
    pub(crate) fn time_of(&self, then: u64) -> String {
        self.format(then, "%T")
    }

    fn format(&self, then: u64, format: &str) -> String {
        i64::try_from(then)
            .ok()
            .and_then(|then| Timestamp::from_second(then).ok())
            .map_or_else(
                || format!("{then} s"),
                |then| {
                    then.to_zoned_datetime(self.zone.clone())
                        .strftime(format)
                        .to_string()
                },
            )
    }
}

/// Seconds, in the two largest units.
pub(crate) fn duration(seconds: u64) -> String {
    let (d, h, m, s) = (
        seconds / 86_400,
        seconds / 3_600 % 24,
        seconds / 60 % 60,
        seconds % 60,
    );
    match (d, h, m) {
        (0, 0, 0) => format!("{s} s"),
        (0, 0, _) => format!("{m} min {s} s"),
        (0, _, _) => format!("{h} h {m} min"),
        _ => format!("{d} d {h} h"),
    }
}

/// Reads a duration as people write it: `90s`, `15 min`, `1h30m`, `2 days`; a number alone
/// is seconds.
///
/// # Errors
/// If it is none, or longer than a year, or no whole second.
pub(crate) fn parse_duration(text: &str) -> Result<Duration, String> {
    let wrong = || format!("{text} is no duration: 90s, 15min, 1h and 2d are");
    if let Ok(seconds) = text.trim().parse::<u64>() {
        return bounded(seconds, text);
    }
    let span: Span = text.parse().map_err(|_| wrong())?;
    let seconds = span
        .to_duration(SpanRelativeTo::days_are_24_hours())
        .map_err(|_| wrong())?
        .as_secs();
    bounded(u64::try_from(seconds).map_err(|_| wrong())?, text)
}

fn bounded(seconds: u64, text: &str) -> Result<Duration, String> {
    match seconds {
        1..=31_536_000 => Ok(Duration::from_secs(seconds)),
        _ => Err(format!("{text} is not between a second and a year")),
    }
}

/// Bytes, in the largest unit that leaves something before the point.
pub(crate) fn bytes(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["KiB", "MiB", "GiB", "TiB", "PiB"];
    if bytes < 1024 {
        return format!("{bytes} B");
    }
    let mut amount = bytes as f64 / 1024.0;
    let mut unit = UNITS[0];
    for larger in &UNITS[1..] {
        if amount < 1024.0 {
            break;
        }
        amount /= 1024.0;
        unit = larger;
    }
    let decimals = usize::from(amount < 100.0);
    format!("{amount:.decimals$} {unit}")
}

/// Microseconds, in a unit that fits.
pub(crate) fn micros(micros: f64) -> String {
    match micros {
        m if m < 100.0 => format!("{m:.1} µs"),
        m if m < 1_000.0 => format!("{m:.0} µs"),
        m if m < 100_000.0 => format!("{:.2} ms", m / 1e3),
        m if m < 1_000_000.0 => format!("{:.0} ms", m / 1e3),
        m => format!("{:.2} s", m / 1e6),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_in_fitting_units() {
        assert_eq!(duration(59), "59 s");
        assert_eq!(duration(3_661), "1 h 1 min");
        assert_eq!(duration(90_000), "1 d 1 h");
        assert_eq!(bytes(1023), "1023 B");
        assert_eq!(bytes(1536), "1.5 KiB");
        assert_eq!(bytes(8 << 30), "8.0 GiB");
        assert_eq!(bytes(u64::MAX), "16384 PiB");
        assert_eq!(micros(31.04), "31.0 µs");
        assert_eq!(micros(1_240.0), "1.24 ms");
        assert_eq!(micros(2_500_000.0), "2.50 s");
    }

    #[test]
    fn moments() {
        let clock = Clock::utc(1_000_000_100);
        assert_eq!(clock.date(1_000_000_000), "2001-09-09 01:46:40");
        assert_eq!(clock.since(1_000_000_000), "1 min 40 s");
        assert_eq!(clock.since(1_000_000_200), "0 s", "clocks differ");
        assert_eq!(clock.until(1_000_003_700), "1 h 0 min");
        assert_eq!(clock.date(u64::MAX), format!("{} s", u64::MAX));
    }

    #[test]
    fn durations_as_people_write_them() {
        let seconds = |text: &str| parse_duration(text).map(|d| d.as_secs());
        for (text, expected) in [
            ("1h", 3_600),
            ("90", 90),
            ("90s", 90),
            ("15 min", 900),
            ("1h30m", 5_400),
            ("2 days", 172_800),
            ("1w", 604_800),
        ] {
            assert_eq!(seconds(text), Ok(expected), "{text}");
        }
        for text in ["", "h", "1 fortnight", "-1h", "0", "2y", "0.1s", "1e99"] {
            assert!(seconds(text).is_err(), "{text}");
        }
    }
}
