use serde::{Deserialize, Serialize};

use super::Missing;

// Nodes tell each other these in a form without names (postcard): no field may be left out.

/// Something of a process that is to be looked at, as its node's /proc has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Look {
    /// Whether it is there, whose it is, and when it was forked.
    Attributes,
    /// What a file says.
    File(ProcFile),
    /// Where a link leads.
    Link(ProcLink),
    /// The numbers of its descriptors.
    Descriptors,
    /// What a descriptor is of.
    Descriptor(u32),
}

/// The files that can be looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "they are proc(5)'s own")]
pub enum ProcFile {
    Stat,
    Statm,
    Status,
    Cmdline,
    Comm,
    Environ,
    Limits,
    Maps,
    Io,
    Cgroup,
    Wchan,
}

/// The links that can be looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "they are proc(5)'s own")]
pub enum ProcLink {
    Exe,
    Cwd,
    Root,
}

impl ProcFile {
    /// As /proc calls it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Stat => "stat",
            Self::Statm => "statm",
            Self::Status => "status",
            Self::Cmdline => "cmdline",
            Self::Comm => "comm",
            Self::Environ => "environ",
            Self::Limits => "limits",
            Self::Maps => "maps",
            Self::Io => "io",
            Self::Cgroup => "cgroup",
            Self::Wchan => "wchan",
        }
    }
}

impl ProcLink {
    /// As /proc calls it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Exe => "exe",
            Self::Cwd => "cwd",
            Self::Root => "root",
        }
    }
}

/// On whose behalf.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reader {
    /// The user's number.
    pub uid: u32,
    /// The group's.
    pub gid: u32,
}

/// What was seen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Looked {
    /// It is there.
    Attributes {
        /// Whose it is.
        uid: u32,
        /// Of which group.
        gid: u32,
        /// When it was forked, in nanoseconds since its node was booted.
        start: u64,
    },
    /// What a file says, or where a link leads.
    Bytes(Bytes),
    /// The numbers of its descriptors, in order.
    Descriptors(Vec<u32>),
    /// The kernel's number for why not (errno).
    Refused(i32),
    /// The node was not there to be asked, or did not answer: why, in words that follow its
    /// name.
    NoNode(String),
}

/// Bytes that need not be text; base64 where text is wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bytes(pub Vec<u8>);

impl Serialize for Bytes {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.serialize_str(&data_encoding::BASE64.encode(&self.0))
        } else {
            serializer.serialize_bytes(&self.0)
        }
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            let text = String::deserialize(deserializer)?;
            let bytes = data_encoding::BASE64.decode(text.as_bytes());
            bytes.map(Self).map_err(serde::de::Error::custom)
        } else {
            deserializer.deserialize_byte_buf(Raw)
        }
    }
}

struct Raw;

impl serde::de::Visitor<'_> for Raw {
    type Value = Bytes;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("bytes")
    }

    fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Bytes, E> {
        Ok(Bytes(bytes.to_vec()))
    }

    fn visit_byte_buf<E>(self, bytes: Vec<u8>) -> Result<Bytes, E> {
        Ok(Bytes(bytes))
    }
}

/// The pids of all nodes, and nothing else of their processes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClusterPids {
    /// The number of the node that was asked; 0 in no cluster.
    pub here: u16,
    /// In order of their numbers.
    pub nodes: Vec<NodePids>,
    /// Nodes that did not say, and why.
    #[serde(default)]
    pub missing: Vec<Missing>,
}

/// The pids of a node.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodePids {
    /// Its number.
    pub number: u16,
    /// Its name.
    pub name: String,
    /// In order.
    pub pids: Vec<u32>,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn bytes_survive(bytes: Vec<u8>) {
            let looked = Looked::Bytes(Bytes(bytes));
            let text = serde_json::to_string(&looked).expect("text");
            prop_assert_eq!(&looked, &serde_json::from_str::<Looked>(&text).expect("bytes"));
        }

        #[test]
        fn nothing_else_is_taken_for_bytes(text in "\\PC*") {
            let quoted = serde_json::to_string(&text).expect("text");
            if let Ok(bytes) = serde_json::from_str::<Bytes>(&quoted) {
                prop_assert_eq!(data_encoding::BASE64.encode(&bytes.0), text);
            }
        }
    }
}
