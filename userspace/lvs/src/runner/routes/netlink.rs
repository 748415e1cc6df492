//! Asking the kernel, and understanding what it says (rtnetlink(7)).

use std::net::IpAddr;

use futures::TryStreamExt as _;
use netlink_packet_route::link::{LinkAttribute, LinkMessage};
use netlink_packet_route::neighbour::{
    NeighbourAddress, NeighbourAttribute, NeighbourFlags, NeighbourMessage, NeighbourState,
};
use netlink_packet_route::route::{
    RouteAddress, RouteAttribute, RouteMessage, RouteMetric, RouteType, RouteVia,
};
use netlink_packet_route::{AddressFamily, RouteNetlinkMessage};
use rtnetlink::{Error, Handle, MulticastGroup};

use super::known::{Hop, Known, Link, Mac, Neighbour, Route};

/// What may change a way.
pub(super) const GROUPS: [MulticastGroup; 6] = [
    MulticastGroup::Link,
    MulticastGroup::Neigh,
    MulticastGroup::Ipv4Ifaddr,
    MulticastGroup::Ipv6Ifaddr,
    MulticastGroup::Ipv4Route,
    MulticastGroup::Ipv6Route,
];

/// What a notification changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    /// Nothing that matters.
    Nothing,
    /// One next hop.
    Hop(Hop),
    /// Perhaps every route.
    Routes,
}

/// Takes in a notification.
pub(super) fn notice(known: &mut Known, message: RouteNetlinkMessage) -> Change {
    match message {
        RouteNetlinkMessage::NewLink(message) => {
            let Some((ifindex, link)) = link(&message) else {
                return Change::Nothing;
            };
            if known.links.insert(ifindex, link) == Some(link) {
                // Statistics, or a carrier that went: routes say so themselves.
                return Change::Nothing;
            }
            Change::Routes
        }
        RouteNetlinkMessage::DelLink(message) => {
            // A port that leaves its bridge is told as a deletion in the bridge's family.
            if message.header.interface_family != AddressFamily::Unspec {
                return Change::Nothing;
            }
            known.link_gone(message.header.index);
            Change::Routes
        }
        RouteNetlinkMessage::NewNeighbour(message) => match neighbour(&message) {
            Some((hop, state)) => {
                known.neighbour(hop, state);
                Change::Hop(hop)
            }
            None => Change::Nothing,
        },
        RouteNetlinkMessage::DelNeighbour(message) => match hop(&message) {
            Some(hop) => {
                known.neighbour_gone(&hop);
                Change::Hop(hop)
            }
            None => Change::Nothing,
        },
        RouteNetlinkMessage::NewAddress(_)
        | RouteNetlinkMessage::DelAddress(_)
        | RouteNetlinkMessage::NewRoute(_)
        | RouteNetlinkMessage::DelRoute(_) => Change::Routes,
        _ => Change::Nothing,
    }
}

/// Reads all links and neighbours.
pub(super) async fn read_all(handle: &Handle, known: &mut Known) -> Result<(), Error> {
    let mut links = handle.link().get().execute();
    known.links.clear();
    while let Some(message) = links.try_next().await? {
        known.links.extend(link(&message));
    }
    let mut neighbours = handle.neighbours().get().execute();
    known.neighbours.clear();
    while let Some(message) = neighbours.try_next().await? {
        if let Some((hop, state)) = neighbour(&message) {
            known.neighbour(hop, state);
        }
    }
    Ok(())
}

/// The kernel's route to an address; the default if there is none.
pub(super) async fn route(handle: &Handle, addr: IpAddr) -> Result<Route, Error> {
    let mut message = RouteMessage::default();
    let (family, bits) = match addr {
        IpAddr::V4(_) => (AddressFamily::Inet, 32),
        IpAddr::V6(_) => (AddressFamily::Inet6, 128),
    };
    message.header.address_family = family;
    message.header.destination_prefix_length = bits;
    message
        .attributes
        .push(RouteAttribute::Destination(addr.into()));
    let mut answers = Box::pin(handle.route().get(message).execute());
    match answers.try_next().await {
        Ok(Some(message)) => Ok(understand(&message)),
        // "Network is unreachable", "no route to host", …: an answer, too.
        Ok(None) | Err(Error::NetlinkError(_)) => Ok(Route::default()),
        Err(error) => Err(error),
    }
}

/// Asks the kernel to find out, or to confirm, a next hop's MAC, as traffic of its own
/// would (`NTF_USE`): XDP forwards behind its back.
pub(super) async fn ask(handle: &Handle, hop: Hop) -> Result<(), Error> {
    handle
        .neighbours()
        .add(hop.0, hop.1)
        .replace()
        .state(NeighbourState::None)
        .flags(NeighbourFlags::Use)
        .execute()
        .await
}

fn understand(message: &RouteMessage) -> Route {
    let mut route = Route {
        local: message.header.kind == RouteType::Local,
        ..Route::default()
    };
    if !matches!(message.header.kind, RouteType::Local | RouteType::Unicast) {
        return route;
    }
    for attribute in &message.attributes {
        match attribute {
            RouteAttribute::Oif(ifindex) => route.ifindex = *ifindex,
            RouteAttribute::Gateway(addr) => route.next_hop = ip(addr),
            RouteAttribute::Via(RouteVia::Inet(addr)) => route.next_hop = Some((*addr).into()),
            RouteAttribute::Via(RouteVia::Inet6(addr)) => route.next_hop = Some((*addr).into()),
            RouteAttribute::PrefSource(addr) => route.source = ip(addr),
            RouteAttribute::Metrics(metrics) => {
                for metric in metrics {
                    if let RouteMetric::Mtu(mtu) = metric {
                        route.mtu = *mtu;
                    }
                }
            }
            _ => {}
        }
    }
    route
}

fn ip(addr: &RouteAddress) -> Option<IpAddr> {
    match addr {
        RouteAddress::Inet(addr) => Some((*addr).into()),
        RouteAddress::Inet6(addr) => Some((*addr).into()),
        _ => None,
    }
}

fn link(message: &LinkMessage) -> Option<(u32, Link)> {
    if message.header.interface_family != AddressFamily::Unspec {
        return None;
    }
    let mut link = Link { mac: None, mtu: 0 };
    for attribute in &message.attributes {
        match attribute {
            LinkAttribute::Address(bytes) => {
                // The loopback has a MAC of zeroes.
                link.mac = mac(bytes).filter(|mac| *mac != [0; 6]);
            }
            LinkAttribute::Mtu(mtu) => link.mtu = *mtu,
            _ => {}
        }
    }
    Some((message.header.index, link))
}

fn mac(bytes: &[u8]) -> Option<Mac> {
    bytes.try_into().ok()
}

fn hop(message: &NeighbourMessage) -> Option<Hop> {
    message.attributes.iter().find_map(|attribute| {
        let addr = match attribute {
            NeighbourAttribute::Destination(NeighbourAddress::Inet(addr)) => (*addr).into(),
            NeighbourAttribute::Destination(NeighbourAddress::Inet6(addr)) => (*addr).into(),
            _ => return None,
        };
        Some((message.header.ifindex, addr))
    })
}

fn neighbour(message: &NeighbourMessage) -> Option<(Hop, Neighbour)> {
    let hop = hop(message)?;
    let mac = message
        .attributes
        .iter()
        .find_map(|attribute| match attribute {
            NeighbourAttribute::LinkLayerAddress(bytes) => mac(bytes),
            _ => None,
        });
    let state = match (message.header.state, mac) {
        (
            NeighbourState::Reachable
            | NeighbourState::Delay
            | NeighbourState::Probe
            | NeighbourState::Permanent
            | NeighbourState::Noarp,
            Some(mac),
        ) => Neighbour::Fresh(mac),
        (NeighbourState::Stale, Some(mac)) => Neighbour::Stale(mac),
        (NeighbourState::Failed, _) => Neighbour::Failed,
        _ => Neighbour::Asked,
    };
    Some((hop, state))
}
