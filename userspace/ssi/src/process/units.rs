//! Times and terminals, as ps writes them.

use jiff::Timestamp;
use jiff::tz::TimeZone;

const SECOND: u64 = 1_000_000_000;
const DAY: u64 = 24 * 60 * 60;

/// A terminal's name by its device number (`Documentation/admin-guide/devices.txt`).
pub(crate) fn tty(device: u32) -> String {
    let major = device >> 8 & 0xfff;
    let minor = device & 0xff | device >> 12 & 0xfff00;
    match (major, minor) {
        (0, 0) => "?".to_owned(),
        (4, 0..64) => format!("tty{minor}"),
        (4, _) => format!("ttyS{}", minor - 64),
        (5, 1) => "console".to_owned(),
        (136..144, _) => format!("pts/{}", (major - 136) << 8 | minor),
        (204, 64..) => format!("ttyAMA{}", minor - 64),
        (229, _) => format!("hvc{minor}"),
        _ => format!("{major}:{minor}"),
    }
}

/// Processor time: hours, minutes, seconds (days before), or BSD's minutes and seconds.
pub(crate) fn time(nanoseconds: u64, short: bool) -> String {
    let seconds = nanoseconds / SECOND;
    if short {
        return format!("{}:{:02}", seconds / 60, seconds % 60);
    }
    let days = match seconds / DAY {
        0 => String::new(),
        days => format!("{days}-"),
    };
    let (hours, minutes) = (seconds / 3600 % 24, seconds / 60 % 60);
    format!("{days}{hours:02}:{minutes:02}:{:02}", seconds % 60)
}

/// Time since the start, without what is zero at its front.
pub(crate) fn elapsed(nanoseconds: u64) -> String {
    let seconds = nanoseconds / SECOND;
    let (days, hours) = (seconds / DAY, seconds / 3600 % 24);
    let rest = format!("{:02}:{:02}", seconds / 60 % 60, seconds % 60);
    match (days, hours) {
        (0, 0) => rest,
        (0, _) => format!("{hours:02}:{rest}"),
        _ => format!("{days}-{hours:02}:{rest}"),
    }
}

/// When it started: the hour if it is a day ago at most, the day, or the year.
pub(crate) fn start(nanoseconds: u64, now: u64) -> String {
    let age = now.saturating_sub(nanoseconds) / SECOND;
    match age {
        0..DAY => at(nanoseconds, "%H:%M"),
        age if age < 365 * DAY => at(nanoseconds, "%b%d"),
        _ => at(nanoseconds, "%Y"),
    }
}

/// The whole date.
pub(crate) fn date(nanoseconds: u64) -> String {
    at(nanoseconds, "%a %b %e %H:%M:%S %Y")
}

fn at(nanoseconds: u64, format: &str) -> String {
    let time = i64::try_from(nanoseconds / SECOND)
        .ok()
        .and_then(|seconds| Timestamp::from_second(seconds).ok());
    time.map_or_else(
        || "?".to_owned(),
        |time| {
            time.to_zoned_datetime(TimeZone::system())
                .strftime(format)
                .to_string()
        },
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn as_ps_writes_them() {
        assert_eq!(time(3_725 * SECOND, false), "01:02:05");
        assert_eq!(time((3 * DAY + 1) * SECOND, false), "3-00:00:01");
        assert_eq!(time(3_725 * SECOND, true), "62:05");
        assert_eq!(elapsed(65 * SECOND), "01:05");
        assert_eq!(elapsed((DAY + 3_600) * SECOND), "1-01:00:00");
        assert_eq!(tty(0), "?");
        assert_eq!(tty(136 << 8 | 3), "pts/3");
        // pts/300: major 137, minor 44.
        assert_eq!(tty(137 << 8 | 44), "pts/300");
        assert_eq!(tty(4 << 8 | 1), "tty1");
        assert_eq!(tty(4 << 8 | 65), "ttyS1");
    }

    proptest! {
        #[test]
        fn any_number_is_written(a in any::<u64>(), b in any::<u64>(), device in any::<u32>()) {
            for text in [time(a, true), time(a, false), elapsed(a), start(a, b), date(a), tty(device)] {
                prop_assert!(!text.is_empty());
            }
        }
    }
}
