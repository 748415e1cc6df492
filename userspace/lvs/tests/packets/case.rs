//! A case: what is configured, then packets in, each with what must come out.

use std::net::IpAddr;

use crate::builder::Packet;
use crate::topology::Real;
use crate::world::{ServerDef, World};

/// Where a frame enters the packet path under test.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entry {
    Xdp,
    Tc,
}

pub struct Case {
    pub name: String,
    pub world: World,
    pub steps: Vec<Step>,
    pub entries: Vec<Entry>,
}

#[expect(
    clippy::large_enum_variant,
    reason = "a few thousand of them, in a test"
)]
pub enum Step {
    Send(Send),
    Change(Change),
    Check(Check),
}

/// A packet, and what is expected.
pub struct Send {
    pub packet: Packet,
    pub way: Way,
    pub verdict: Verdict,
    /// The packet afterwards; none: as it was.
    pub out: Option<Packet>,
    /// Every counter that goes up.
    pub counters: Vec<u32>,
}

/// Where a packet comes along.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// In, from the clients' side.
    Outside,
    /// In, from the servers' side.
    Inside,
    /// Out, sent by this node itself.
    Leaving,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// To the stack.
    Pass,
    Drop,
    /// Out of another interface than it came in on.
    Out,
    /// Out of the interface it came in on.
    Back,
}

/// What happens between packets. Servers are of the first service.
pub enum Change {
    Add(ServerDef),
    Weight(Real, u32),
    Remove(Real),
    Down(Real),
    /// As userspace counts its connections: active, inactive.
    Load(Real, i32, i32),
    /// So many connections that it takes no more.
    Overload(Real),
    /// Everything remembered was seen this many seconds earlier.
    Age(u32),
    /// The connection tables lose everything, as to a flood of new connections.
    PushOut,
    /// A real connection is opened on this machine: client, its port, server's address,
    /// port. It lasts to the end of the case.
    Connect(IpAddr, u16, IpAddr, u16),
    /// Such a connection is opened and closed, by the server first, which waits in TIME_WAIT
    /// from then on.
    Wait(IpAddr, u16, IpAddr, u16),
    /// Somebody listens there, to the end of the case.
    Listen(IpAddr, u16),
    /// Another node directs the first service from now on.
    DirectedElsewhere,
    /// The filter gets these bits for an address that only shares its word with another.
    FilterBits(IpAddr, u32),
}

/// What must be true between packets.
pub enum Check {
    /// The flow of a packet is remembered, with this server and state.
    Known(Packet, Real, u8),
    /// The flow of a packet is not remembered.
    Unknown(Packet),
    /// How many entries the connection tables have.
    Remembered(usize),
    /// The server's load: active, inactive.
    Load(Real, i32, i32),
    /// The server's statistics: connections, packets and bytes in, packets and bytes out.
    /// Its service has at least the same.
    Stats(Real, [u64; 5]),
    /// The service's statistics.
    Service([u64; 5]),
    /// Frames handed to userspace, since the last check.
    Held(Vec<Packet>),
}

/// A case of this name.
pub fn case(name: impl Into<String>, world: World) -> Case {
    Case {
        name: name.into(),
        world,
        steps: Vec::new(),
        entries: vec![Entry::Xdp, Entry::Tc],
    }
}

impl Case {
    pub fn only(mut self, entry: Entry) -> Self {
        self.entries = vec![entry];
        self
    }

    /// Goes on with a function, for steps in a loop.
    pub fn with(self, steps: impl FnOnce(Self) -> Self) -> Self {
        steps(self)
    }

    /// A packet from a client; what is expected must follow.
    pub fn send(self, packet: Packet) -> Pending {
        Pending {
            case: self,
            packet,
            way: Way::Outside,
        }
    }

    /// A packet from a server.
    pub fn send_inside(self, packet: Packet) -> Pending {
        Pending {
            case: self,
            packet,
            way: Way::Inside,
        }
    }

    /// A packet from this node itself.
    pub fn send_leaving(self, packet: Packet) -> Pending {
        Pending {
            case: self,
            packet,
            way: Way::Leaving,
        }
    }

    pub fn then(mut self, change: Change) -> Self {
        self.steps.push(Step::Change(change));
        self
    }

    pub fn check(mut self, check: Check) -> Self {
        self.steps.push(Step::Check(check));
        self
    }

    /// The last packet counts here as well.
    pub fn counts(mut self, counter: u32) -> Self {
        let Some(Step::Send(send)) = self.steps.last_mut() else {
            panic!("{}: counts what?", self.name);
        };
        send.counters.push(counter);
        self
    }
}

/// A packet whose expectation is still to be said.
#[must_use]
pub struct Pending {
    case: Case,
    packet: Packet,
    way: Way,
}

impl Pending {
    fn expect(mut self, verdict: Verdict, out: Option<Packet>, counters: Vec<u32>) -> Case {
        let Self { packet, way, .. } = self;
        self.case.steps.push(Step::Send(Send {
            packet,
            way,
            verdict,
            out,
            counters,
        }));
        self.case
    }

    /// To the stack, unchanged.
    pub fn passes(self) -> Case {
        self.expect(Verdict::Pass, None, Vec::new())
    }

    /// To the stack, like this.
    pub fn passes_as(self, out: Packet) -> Case {
        self.expect(Verdict::Pass, Some(out), Vec::new())
    }

    /// Dropped, for a reason: a counter.
    pub fn dropped(self, reason: u32) -> Case {
        self.expect(Verdict::Drop, None, vec![reason])
    }

    /// Out on the other side, like this.
    pub fn goes(self, out: Packet) -> Case {
        self.expect(Verdict::Out, Some(out), Vec::new())
    }

    /// Out where it came from, like this.
    pub fn comes_back(self, out: Packet) -> Case {
        self.expect(Verdict::Back, Some(out), Vec::new())
    }

    /// Out on the server's side.
    fn leaves(self, server: &Real, out: Packet) -> Case {
        if server.outside == (self.way == Way::Outside) {
            self.comes_back(out)
        } else {
            self.goes(out)
        }
    }

    /// By direct routing to a server.
    pub fn direct(self, server: &Real) -> Case {
        let out = self.packet.clone().direct(server);
        self.leaves(server, out)
    }

    /// By tunnel to a server.
    pub fn tunnel(self, server: &Real) -> Case {
        let out = self.packet.clone().tunnel(server);
        self.leaves(server, out)
    }

    /// By NAT to a server.
    pub fn nat(self, server: &Real, port: u16) -> Case {
        let out = self.packet.clone().nat(server, port);
        self.leaves(server, out)
    }
}
