//! Spans of time in configuration files: `300`, `0.5`, `"2s"`, `"1m 30s"`.

use std::fmt;
use std::time::Duration;

use jiff::SignedDuration;
use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The longest span that may be configured: a year.
pub(crate) const LONGEST: Duration = Duration::from_secs(366 * 86_400);

/// A span of time. A plain number is seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span(pub Duration);

impl Span {
    /// So many seconds.
    #[must_use]
    pub const fn secs(seconds: u64) -> Self {
        Self(Duration::from_secs(seconds))
    }

    /// So many milliseconds.
    #[must_use]
    pub const fn millis(milliseconds: u64) -> Self {
        Self(Duration::from_millis(milliseconds))
    }

    /// Whether it is no time at all.
    #[must_use]
    pub const fn is_zero(self) -> bool {
        self.0.is_zero()
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.subsec_nanos() {
            0 => write!(f, "{} s", self.0.as_secs()),
            _ if self.0 < Duration::from_secs(1) => {
                write!(f, "{} ms", self.0.as_secs_f64() * 1000.0)
            }
            _ => write!(f, "{} s", self.0.as_secs_f64()),
        }
    }
}

impl Serialize for Span {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        if self.0.subsec_nanos() == 0 {
            return to.serialize_u64(self.0.as_secs());
        }
        let span = SignedDuration::try_from(self.0).map_err(serde::ser::Error::custom)?;
        to.serialize_str(&format!("{span:#}"))
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(Reader)
    }
}

struct Reader;

impl Visitor<'_> for Reader {
    type Value = Span;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a time: seconds, or \"500ms\", \"2s\", \"5m\"")
    }

    fn visit_i64<E: Error>(self, seconds: i64) -> Result<Span, E> {
        let seconds = u64::try_from(seconds)
            .map_err(|_| E::custom(format!("{seconds} seconds is less than no time")))?;
        bounded(Duration::from_secs(seconds))
    }

    fn visit_u64<E: Error>(self, seconds: u64) -> Result<Span, E> {
        bounded(Duration::from_secs(seconds))
    }

    fn visit_f64<E: Error>(self, seconds: f64) -> Result<Span, E> {
        let span = Duration::try_from_secs_f64(seconds);
        bounded(span.map_err(|_| E::custom(format!("{seconds} is no number of seconds")))?)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Span, E> {
        let span: Result<SignedDuration, _> = text.parse();
        let span = span.ok().and_then(|span| Duration::try_from(span).ok());
        let wrong = || {
            E::custom(format!(
                "\"{text}\" is no time; \"500ms\", \"2s\", \"5m\" are"
            ))
        };
        bounded(span.ok_or_else(wrong)?)
    }
}

fn bounded<E: Error>(span: Duration) -> Result<Span, E> {
    if span > LONGEST {
        return Err(E::custom("a year is the longest time there is"));
    }
    Ok(Span(span))
}
