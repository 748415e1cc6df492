//! Where a process may run, and where it rather does.

use std::fmt;

use serde::de::{Error, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::node::Node;

/// Where it runs when it can: `1`, `"any"`, `"all"`, `"root"`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Favoured {
    /// On this node.
    Node(Node),
    /// Wherever there is room.
    #[default]
    Any,
    /// On each node.
    All,
    /// On the node that serves the root file system, and no other.
    Root,
}

/// Where else it may run: `[2, 3]` in this order, or `"any"`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Backup {
    /// On these, the first that can be had.
    Nodes(Vec<Node>),
    /// Anywhere.
    Any,
}

impl Default for Backup {
    fn default() -> Self {
        Self::Nodes(Vec::new())
    }
}

/// Which node, when the process has to be started on another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Selection {
    /// The favoured one if it can be had, else the backups in their order.
    #[serde(rename = "F_node")]
    FNode,
    /// The one it ran on last, if it can be had; else as `F_node`.
    LastNode,
    /// The next by number after the one it ran on last.
    RoundRobin,
    /// The one with the least load.
    LeastLoaded,
}

/// Everything that says where something runs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// Where it runs when it can.
    pub favoured: Favoured,
    /// Where else it may run.
    pub backup: Backup,
    /// Which node, when it has to be another.
    pub selection: Option<Selection>,
    /// It may run on these only; empty: no such limit.
    pub nodes: Vec<Node>,
    /// It goes back to its favoured node when that can be had again.
    pub failback: bool,
}

impl Place {
    /// Which node, when it has to be another, if nobody has said.
    #[must_use]
    pub fn selection(&self) -> Selection {
        self.selection.unwrap_or(match self.favoured {
            Favoured::Any => Selection::LeastLoaded,
            _ => Selection::FNode,
        })
    }

    /// Whether it belongs to nodes that were named, and doesn't float.
    #[must_use]
    pub fn is_pinned(&self) -> bool {
        self.favoured != Favoured::Any
    }

    /// Whether another node may ever run what runs on one. What can't move needs no lease.
    #[must_use]
    pub fn can_move(&self) -> bool {
        match self.favoured {
            Favoured::All => false,
            Favoured::Node(_) => self.backup != Backup::default(),
            Favoured::Any => self.nodes.len() != 1,
            Favoured::Root => true,
        }
    }
}

impl Serialize for Favoured {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Node(node) => node.serialize(to),
            Self::Any => to.serialize_str("any"),
            Self::All => to.serialize_str("all"),
            Self::Root => to.serialize_str("root"),
        }
    }
}

impl<'de> Deserialize<'de> for Favoured {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Reader;
        impl Visitor<'_> for Reader {
            type Value = Favoured;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a node's number, \"any\", \"all\" or \"root\"")
            }

            fn visit_i64<E: Error>(self, number: i64) -> Result<Favoured, E> {
                node(number).map(Favoured::Node)
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Favoured, E> {
                match text {
                    "any" => Ok(Favoured::Any),
                    "all" => Ok(Favoured::All),
                    "root" => Ok(Favoured::Root),
                    _ => Err(E::custom(format!(
                        "\"{text}\": a node's number, \"any\", \"all\" or \"root\" can be favoured"
                    ))),
                }
            }
        }
        from.deserialize_any(Reader)
    }
}

impl Serialize for Backup {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Nodes(nodes) => nodes.serialize(to),
            Self::Any => to.serialize_str("any"),
        }
    }
}

impl<'de> Deserialize<'de> for Backup {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = Backup;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("numbers of nodes, like [2, 3], or \"any\"")
            }

            fn visit_i64<E: Error>(self, number: i64) -> Result<Backup, E> {
                node(number).map(|node| Backup::Nodes(vec![node]))
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Backup, E> {
                if text == "any" {
                    return Ok(Backup::Any);
                }
                Err(E::custom(format!(
                    "\"{text}\": numbers of nodes, or \"any\", can be backups"
                )))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Backup, A::Error> {
                let mut nodes = Vec::new();
                while let Some(number) = seq.next_element()? {
                    nodes.push(node(number)?);
                }
                Ok(Backup::Nodes(nodes))
            }
        }
        from.deserialize_any(Reader)
    }
}

fn node<E: Error>(number: i64) -> Result<Node, E> {
    u16::try_from(number)
        .ok()
        .and_then(Node::new)
        .ok_or_else(|| E::custom(format!("{number} is no node number: 1, 2, 3 … are")))
}
