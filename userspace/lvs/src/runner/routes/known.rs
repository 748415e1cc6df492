//! What the kernel has told about links, neighbours and routes, and the ways that follow
//! from it. No I/O.

use std::collections::HashMap;
use std::net::IpAddr;

/// A MAC address.
pub type Mac = [u8; 6];

/// How packets get to a real server from here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Way {
    /// The address is one of this node's own.
    pub local: bool,
    /// Interface to send on, 0 if there is no route.
    pub ifindex: u32,
    /// This node's address towards the server.
    pub source: Option<IpAddr>,
    /// Largest IP packet on the way, in bytes, 0 if not known.
    pub mtu: u32,
    /// MAC of the next hop and of our interface, once the next hop has answered.
    pub macs: Option<(Mac, Mac)>,
}

/// An interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Link {
    /// None: packets on it have no Ethernet header.
    pub mac: Option<Mac>,
    /// In bytes.
    pub mtu: u32,
}

/// What the kernel knows of a next hop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Neighbour {
    /// Usable, and lately confirmed or needing no confirmation.
    Fresh(Mac),
    /// Usable, but nobody asked for a while: it may have moved.
    Stale(Mac),
    /// Asked, no answer yet.
    Asked,
    /// Asked often enough, no answer.
    Failed,
}

/// A route as the kernel resolved it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Route {
    pub local: bool,
    pub ifindex: u32,
    /// Gateway, or the address itself on a network of ours.
    pub next_hop: Option<IpAddr>,
    pub source: Option<IpAddr>,
    /// The route's own, 0 if it has none.
    pub mtu: u32,
}

/// A next hop: interface and address.
pub(super) type Hop = (u32, IpAddr);

/// Everything known.
#[derive(Debug, Default)]
pub(super) struct Known {
    pub links: HashMap<u32, Link>,
    /// The next hops that matter, and others that the kernel happened to mention.
    pub neighbours: HashMap<Hop, Neighbour>,
    /// By server address; an address without a route has the default.
    pub routes: HashMap<IpAddr, Route>,
    /// MACs seen before the kernel forgot them; used until it says that they don't answer.
    remembered: HashMap<Hop, Mac>,
}

impl Known {
    /// The next hop to an address, if packets to it leave this node over Ethernet.
    pub(super) fn hop(&self, addr: &IpAddr) -> Option<Hop> {
        let route = self.routes.get(addr)?;
        if route.local || route.ifindex == 0 {
            return None;
        }
        self.links.get(&route.ifindex)?.mac?;
        Some((route.ifindex, route.next_hop.unwrap_or(*addr)))
    }

    /// The kernel says how a neighbour is.
    pub(super) fn neighbour(&mut self, hop: Hop, state: Neighbour) {
        match state {
            Neighbour::Fresh(mac) | Neighbour::Stale(mac) => {
                self.remembered.insert(hop, mac);
            }
            Neighbour::Failed => {
                self.remembered.remove(&hop);
            }
            Neighbour::Asked => {}
        }
        self.neighbours.insert(hop, state);
    }

    /// The kernel has forgotten a neighbour: there was no use for it.
    pub(super) fn neighbour_gone(&mut self, hop: &Hop) {
        self.neighbours.remove(hop);
    }

    /// A link has gone, and with it its neighbours.
    pub(super) fn link_gone(&mut self, ifindex: u32) {
        self.links.remove(&ifindex);
        self.neighbours.retain(|hop, _| hop.0 != ifindex);
        self.remembered.retain(|hop, _| hop.0 != ifindex);
    }

    /// Whether the kernel should be asked for a next hop's MAC.
    pub(super) fn wants_asking(&self, hop: &Hop) -> bool {
        !matches!(self.neighbours.get(hop), Some(Neighbour::Fresh(_)))
    }

    /// The way to an address, by what is known now.
    pub(super) fn way(&self, addr: &IpAddr) -> Way {
        let Some(route) = self.routes.get(addr) else {
            return Way::default();
        };
        let link = self.links.get(&route.ifindex);
        let mtu = match (route.mtu, link.map_or(0, |link| link.mtu)) {
            (0, mtu) | (mtu, 0) => mtu,
            (route, link) => route.min(link),
        };
        Way {
            local: route.local,
            ifindex: route.ifindex,
            source: route.source,
            mtu,
            macs: self.hop(addr).and_then(|hop| self.macs(&hop)),
        }
    }

    fn macs(&self, hop: &Hop) -> Option<(Mac, Mac)> {
        let own = self.links.get(&hop.0)?.mac?;
        let theirs = match self.neighbours.get(hop) {
            Some(Neighbour::Fresh(mac) | Neighbour::Stale(mac)) => *mac,
            Some(Neighbour::Failed) => return None,
            Some(Neighbour::Asked) | None => *self.remembered.get(hop)?,
        };
        Some((theirs, own))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWN: Mac = [2, 0, 0, 0, 0, 1];
    const THEIRS: Mac = [2, 0, 0, 0, 0, 2];

    fn server() -> IpAddr {
        "10.0.0.9".parse().expect("an address")
    }

    fn direct() -> Known {
        let mut known = Known::default();
        let link = Link {
            mac: Some(OWN),
            mtu: 1500,
        };
        known.links.insert(3, link);
        let route = Route {
            ifindex: 3,
            ..Route::default()
        };
        known.routes.insert(server(), route);
        known
    }

    #[test]
    fn a_way_is_complete_once_the_next_hop_has_answered() {
        let mut known = direct();
        assert_eq!(known.way(&server()).macs, None);
        assert!(known.wants_asking(&(3, server())));
        known.neighbour((3, server()), Neighbour::Fresh(THEIRS));
        assert_eq!(known.way(&server()).macs, Some((THEIRS, OWN)));
        assert!(!known.wants_asking(&(3, server())));
    }

    #[test]
    fn a_forgotten_neighbour_stays_in_use_until_it_fails_to_answer() {
        let mut known = direct();
        let hop = (3, server());
        known.neighbour(hop, Neighbour::Stale(THEIRS));
        known.neighbour_gone(&hop);
        assert_eq!(known.way(&server()).macs, Some((THEIRS, OWN)));
        known.neighbour(hop, Neighbour::Asked);
        assert_eq!(known.way(&server()).macs, Some((THEIRS, OWN)));
        known.neighbour(hop, Neighbour::Failed);
        assert_eq!(known.way(&server()).macs, None);
        known.neighbour_gone(&hop);
        assert_eq!(known.way(&server()).macs, None);
    }

    #[test]
    fn a_gateway_is_the_next_hop() {
        let mut known = direct();
        let gateway: IpAddr = "10.0.0.1".parse().expect("an address");
        known.routes.insert(
            server(),
            Route {
                ifindex: 3,
                next_hop: Some(gateway),
                mtu: 1400,
                ..Route::default()
            },
        );
        known.neighbour((3, gateway), Neighbour::Fresh(THEIRS));
        let way = known.way(&server());
        assert_eq!((way.macs, way.mtu), (Some((THEIRS, OWN)), 1400));
    }

    #[test]
    fn an_own_address_needs_no_next_hop() {
        let mut known = direct();
        let route = Route {
            local: true,
            ifindex: 1,
            ..Route::default()
        };
        known.routes.insert(server(), route);
        assert_eq!(known.hop(&server()), None);
        assert!(known.way(&server()).local);
    }

    #[test]
    fn a_link_that_goes_takes_its_neighbours_along() {
        let mut known = direct();
        known.neighbour((3, server()), Neighbour::Fresh(THEIRS));
        known.link_gone(3);
        assert_eq!(known.way(&server()).macs, None);
        assert!(known.neighbours.is_empty());
    }
}
