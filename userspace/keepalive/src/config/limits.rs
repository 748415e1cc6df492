//! What a process may use.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Error, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::size::{Cpus, Size};

/// Limits of the whole tree of processes, kept by its cgroup.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CgroupLimits {
    /// Processors' worth of time (`cpu.max`).
    pub cpu: Option<Cpus>,
    /// Memory (`memory.max`).
    pub memory: Option<Size>,
    /// Processes and threads (`pids.max`).
    pub pids: Option<u32>,
}

/// Limits of each process (setrlimit(2)).
pub type Rlimits = BTreeMap<Resource, Rlimit>;

/// What setrlimit(2) limits, by the names of prlimit(1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "setrlimit(2) says what each is")]
pub enum Resource {
    As,
    Core,
    Cpu,
    Data,
    Fsize,
    Locks,
    Memlock,
    Msgqueue,
    Nice,
    Nofile,
    Nproc,
    Rss,
    Rtprio,
    Rttime,
    Sigpending,
    Stack,
}

/// A soft and a hard limit; none: unlimited. `1024`, `"unlimited"`, `[1024, 4096]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Rlimit {
    /// What holds.
    pub soft: Option<u64>,
    /// How far the process may raise it.
    pub hard: Option<u64>,
}

impl Rlimit {
    /// Whether the soft limit is within the hard one.
    #[must_use]
    pub fn is_possible(self) -> bool {
        self.hard
            .is_none_or(|hard| self.soft.is_some_and(|soft| soft <= hard))
    }
}

/// One limit as it is written.
#[derive(Clone, Copy)]
struct Bound(Option<u64>);

impl Serialize for Bound {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Some(limit) => to.serialize_u64(limit),
            None => to.serialize_str("unlimited"),
        }
    }
}

impl<'de> Deserialize<'de> for Bound {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let limit = from.deserialize_any(Reader)?;
        Ok(Self(limit.soft))
    }
}

impl Serialize for Rlimit {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        (Bound(self.soft), Bound(self.hard)).serialize(to)
    }
}

impl<'de> Deserialize<'de> for Rlimit {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(Reader)
    }
}

struct Reader;

impl Reader {
    fn both<E>(limit: Option<u64>) -> Result<Rlimit, E> {
        Ok(Rlimit {
            soft: limit,
            hard: limit,
        })
    }
}

impl<'de> Visitor<'de> for Reader {
    type Value = Rlimit;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a limit: a number, \"unlimited\", or [soft, hard]")
    }

    fn visit_i64<E: Error>(self, limit: i64) -> Result<Rlimit, E> {
        let limit = u64::try_from(limit)
            .map_err(|_| E::custom(format!("a limit of {limit} is less than nothing")))?;
        Self::both(Some(limit))
    }

    fn visit_u64<E: Error>(self, limit: u64) -> Result<Rlimit, E> {
        Self::both(Some(limit))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Rlimit, E> {
        if text != "unlimited" {
            return Err(E::custom(format!(
                "\"{text}\" is no limit: a number or \"unlimited\" is"
            )));
        }
        Self::both(None)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Rlimit, A::Error> {
        let mut next = || seq.next_element::<Bound>();
        let (soft, hard) = (next()?, next()?);
        match (soft, hard, next()?) {
            (Some(soft), Some(hard), None) => Ok(Rlimit {
                soft: soft.0,
                hard: hard.0,
            }),
            _ => Err(A::Error::custom("two limits: [soft, hard]")),
        }
    }
}
