//! Amounts of memory, and of processors.

use std::fmt;

use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Bytes: `1048576`, `"512K"`, `"64M"`, `"2G"`, in powers of 1024.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Size(pub u64);

impl<'de> Deserialize<'de> for Size {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(Reader)
    }
}

struct Reader;

impl Visitor<'_> for Reader {
    type Value = Size;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a size: bytes, or \"512K\", \"64M\", \"2G\"")
    }

    fn visit_i64<E: Error>(self, bytes: i64) -> Result<Size, E> {
        u64::try_from(bytes)
            .map(Size)
            .map_err(|_| E::custom(format!("{bytes} bytes is less than nothing")))
    }

    fn visit_u64<E: Error>(self, bytes: u64) -> Result<Size, E> {
        Ok(Size(bytes))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Size, E> {
        size(text).ok_or_else(|| {
            E::custom(format!(
                "\"{text}\" is no size; \"512K\", \"64M\", \"2G\" are"
            ))
        })
    }
}

/// What TOML can hold is the most there is.
fn size(text: &str) -> Option<Size> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let shift = match &text[digits.len()..] {
        "" | "B" => 0,
        "K" | "KiB" => 10,
        "M" | "MiB" => 20,
        "G" | "GiB" => 30,
        "T" | "TiB" => 40,
        _ => return None,
    };
    let number: u64 = digits.trim_end().parse().ok()?;
    let bytes = number.checked_mul(1 << shift)?;
    i64::try_from(bytes).ok().map(|_| Size(bytes))
}

/// Processors, in thousandths: 1500 is one and a half.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cpus(pub u32);

impl Serialize for Cpus {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_f64(f64::from(self.0) / 1000.0)
    }
}

impl<'de> Deserialize<'de> for Cpus {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let cpus = f64::deserialize(from)?;
        if !(0.001..=100_000.0).contains(&cpus) {
            let wrong = format!("{cpus} processors: 0.001 to 100000 can be given");
            return Err(Error::custom(wrong));
        }
        // In range, as was just seen.
        Ok(Self((cpus * 1000.0).round() as u32))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes() {
        assert_eq!(size("64M"), Some(Size(64 << 20)));
        assert_eq!(size("7"), Some(Size(7)));
        for wrong in ["", "M", "1X", "-1M", "9999999999T", "8388608T", "é"] {
            assert_eq!(size(wrong), None, "{wrong}");
        }
    }
}
