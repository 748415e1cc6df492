//! Virtual services that a process is a real server of, behind the cluster's one address.

use std::fmt;
use std::net::SocketAddr;
use std::str::FromStr;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Error, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use ssi_api::lvs::{Method, Protocol, Scheduler, ServiceName};

/// A virtual service, as `tcp://10.88.0.100:80` or `udp://[fd88::100]:53`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VirtualService {
    /// TCP or UDP.
    pub protocol: Protocol,
    /// The virtual address and port.
    pub address: SocketAddr,
}

impl VirtualService {
    /// As the scheduler knows it.
    #[must_use]
    pub const fn name(self) -> ServiceName {
        ServiceName::Address {
            protocol: self.protocol,
            addr: self.address.ip(),
            port: self.address.port(),
        }
    }
}

impl fmt::Display for VirtualService {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let protocol = match self.protocol {
            Protocol::Tcp => "tcp",
            Protocol::Udp => "udp",
        };
        write!(f, "{protocol}://{}", self.address)
    }
}

/// What was given is no virtual service.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is no virtual service: tcp://ADDRESS:PORT and udp://ADDRESS:PORT are, IPv6 as [ADDRESS]"
)]
pub struct NoService(String);

impl FromStr for VirtualService {
    type Err = NoService;

    fn from_str(text: &str) -> Result<Self, NoService> {
        let no = || NoService(text.to_owned());
        let (protocol, address) = text.split_once("://").ok_or_else(no)?;
        let protocol = match protocol {
            "tcp" => Protocol::Tcp,
            "udp" => Protocol::Udp,
            _ => return Err(no()),
        };
        let address: SocketAddr = address.parse().map_err(|_| no())?;
        // A scope is a link's, and no cluster is on one link alone.
        if matches!(address, SocketAddr::V6(v6) if v6.scope_id() != 0) {
            return Err(no());
        }
        Ok(Self { protocol, address })
    }
}

impl Serialize for VirtualService {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for VirtualService {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from)?.parse().map_err(D::Error::custom)
    }
}

/// A virtual service that a process is a real server of, and how.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Balance {
    /// The virtual service. Made if nobody has made it.
    pub service: VirtualService,
    /// The port that it listens at; the virtual service's own if it isn't said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    /// 1 to 65535: how many of the new connections a node takes, beside the others.
    #[serde(default = "one")]
    pub weight: u32,
    /// How packets reach it.
    #[serde(default)]
    pub method: Method,
    /// How servers are picked, if the virtual service is made; `slot` if it isn't said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scheduler: Option<Scheduler>,
}

const fn one() -> u32 {
    1
}

impl Balance {
    /// As a real server of this virtual service, everything else as it is by default.
    #[must_use]
    pub const fn of(service: VirtualService) -> Self {
        Self {
            service,
            port: None,
            weight: 1,
            method: Method::Route,
            scheduler: None,
        }
    }

    /// The port that it listens at.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port.unwrap_or_else(|| self.service.address.port())
    }
}

/// One of them or more: `"tcp://10.88.0.100:80"`, `{ service = … }`, or a list of these.
pub(super) fn one_or_more<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<Balance>, D::Error> {
    struct Reader;
    impl<'de> Visitor<'de> for Reader {
        type Value = Vec<Balance>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(
                "a virtual service like \"tcp://10.88.0.100:80\", { service = … }, or a list",
            )
        }

        fn visit_str<E: Error>(self, text: &str) -> Result<Vec<Balance>, E> {
            let service = text.parse().map_err(E::custom)?;
            Ok(vec![Balance::of(service)])
        }

        fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Vec<Balance>, A::Error> {
            let one = Balance::deserialize(MapAccessDeserializer::new(map))?;
            Ok(vec![one])
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Vec<Balance>, A::Error> {
            let mut all = Vec::new();
            while let Some(One(one)) = seq.next_element()? {
                all.extend(one);
            }
            Ok(all)
        }
    }
    from.deserialize_any(Reader)
}

/// An element of the list.
struct One(Vec<Balance>);

impl<'de> Deserialize<'de> for One {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        one_or_more(from).map(One)
    }
}
