//! A node in a cluster, and frames to and from it.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};

use etherparse::PacketBuilder;
use ssi_abi::member::{Key, Member, PeerStats, peer_lane};
use ssi_abi::probe::{MAGIC, PORT, Probe, VERSION, kind};
use ssi_abi::{Addr, filter};
use ssi_loader::map::Maps;
use ssi_loader::{Net, Options, Program, TestOptions, TestOutcome};

/// This node, a member, and somebody who is none: node numbers, and last bytes of addresses.
pub const US: u8 = 1;
pub const PEER: u8 = 2;
pub const STRANGER: u8 = 9;
/// Which lives of the two are in the view.
pub const OUR_LIFE: u32 = 7;
pub const PEERS_LIFE: u32 = 5;

/// The keys that we know: current, previous.
pub const KEYS: [Key; 2] = [key(20, 0x1234_5678_9abc_def0), key(19, 0xfeed)];

const fn key(id: u32, k0: u64) -> Key {
    Key {
        id,
        pad: 0,
        k0,
        k1: !k0,
    }
}

/// What becomes of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Pass,
    Drop,
    Sent,
}

pub struct Bed {
    net: Net,
    /// Which entry frames come in by.
    pub entry: Program,
    pub v6: bool,
}

static BED: LazyLock<Mutex<Bed>> = LazyLock::new(|| {
    Mutex::new(Bed {
        net: Net::open(&Options::default()).expect("loads; root"),
        entry: Program::Xdp,
        v6: false,
    })
});

/// Runs a test through both entries and over both families, each time in a cluster of us
/// and one member.
pub fn everywhere(test: impl Fn(&mut Bed)) {
    for entry in [Program::Xdp, Program::Tc] {
        for v6 in [false, true] {
            let mut bed = BED.lock().unwrap_or_else(PoisonError::into_inner);
            bed.entry = entry;
            bed.v6 = v6;
            bed.form();
            println!("{entry:?}, {}", if v6 { "IPv6" } else { "IPv4" });
            test(&mut bed);
        }
    }
}

/// As [`everywhere`], for what has one entry only.
pub fn once() -> MutexGuard<'static, Bed> {
    let mut bed = BED.lock().unwrap_or_else(PoisonError::into_inner);
    bed.entry = Program::Xdp;
    bed.v6 = false;
    bed.form();
    bed
}

impl Bed {
    pub fn maps(&self) -> &Maps {
        self.net.maps()
    }

    fn form(&self) {
        let maps = self.maps();
        for (addr, _) in maps.members.dump().expect("reads") {
            maps.members.remove(&addr).expect("removes");
        }
        for word in 0..maps.addrs.len() {
            if maps.addrs.get(word).expect("reads") != 0 {
                maps.addrs.set(word, &0).expect("writes");
            }
        }
        let here = Addr::from(self.addr(US));
        maps.addrs
            .set(filter::word(&here), &filter::NODE)
            .expect("writes");
        maps.own.join(US.into(), OUR_LIFE);
        maps.own.set_keys(KEYS);
        self.admit(PEER, PEERS_LIFE, 0);
    }

    /// Puts a member into the view.
    pub fn admit(&self, node: u8, incarnation: u32, flags: u32) {
        let member = Member {
            node: node.into(),
            incarnation,
            flags,
            ..Member::default()
        };
        self.maps()
            .members
            .insert(&self.addr(node).into(), &member)
            .expect("writes");
    }

    pub fn member(&self, node: u8) -> Member {
        let addr = self.addr(node).into();
        let member = self.maps().members.get(&addr).expect("reads");
        member.expect("it is one")
    }

    pub fn addr(&self, host: u8) -> IpAddr {
        if self.v6 {
            Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, 7, host.into()).into()
        } else {
            Ipv4Addr::new(10, 7, 0, host).into()
        }
    }

    /// A UDP frame between two hosts. `sum`: with a checksum.
    pub fn udp(&self, hosts: [u8; 2], ports: [u16; 2], payload: &[u8], sum: bool) -> Vec<u8> {
        let mut frame = Vec::new();
        self.ip(hosts)
            .udp(ports[0], ports[1])
            .write(&mut frame, payload)
            .expect("builds");
        if !sum {
            let at = self.l4() + 6;
            frame[at..at + 2].fill(0);
        }
        frame
    }

    /// A TCP segment between two hosts.
    pub fn tcp(&self, hosts: [u8; 2], ports: [u16; 2]) -> Vec<u8> {
        let mut frame = Vec::new();
        self.ip(hosts)
            .tcp(ports[0], ports[1], 1000, 500)
            .ack(1)
            .write(&mut frame, b"words")
            .expect("builds");
        frame
    }

    fn ip(&self, [from, to]: [u8; 2]) -> etherparse::PacketBuilderStep<etherparse::IpHeaders> {
        let ethernet = PacketBuilder::ethernet2(mac(from), mac(to));
        match (self.addr(from), self.addr(to)) {
            (IpAddr::V4(from), IpAddr::V4(to)) => ethernet.ipv4(from.octets(), to.octets(), 64),
            (IpAddr::V6(from), IpAddr::V6(to)) => ethernet.ipv6(from.octets(), to.octets(), 64),
            _ => unreachable!("one family at a time"),
        }
    }

    /// Where the transport header is.
    pub fn l4(&self) -> usize {
        14 + if self.v6 { 40 } else { 20 }
    }

    /// The member's probe to us, in its frame.
    pub fn probe(&self, probe: &Probe) -> Vec<u8> {
        self.udp([PEER, US], [PORT, PORT], &probe.to_bytes(), true)
    }

    /// What becomes of a frame that comes in.
    pub fn comes(&mut self, frame: &[u8]) -> (Verdict, Vec<u8>) {
        let outcome = self.run(self.entry, frame);
        let verdict = match (self.entry, outcome.verdict) {
            (Program::Xdp, 1) | (Program::Tc, 2) => Verdict::Drop,
            (Program::Xdp, 2) | (Program::Tc, 0) => Verdict::Pass,
            (Program::Xdp, 3) | (Program::Tc, 7) => Verdict::Sent,
            (_, other) => panic!("verdict {other}"),
        };
        (verdict, outcome.packet)
    }

    /// What becomes of a frame that goes out: its priority if it does.
    pub fn goes(&mut self, frame: &[u8]) -> Option<u32> {
        let outcome = self.run(Program::Egress, frame);
        (outcome.verdict == 0).then_some(outcome.priority)
    }

    fn run(&mut self, program: Program, frame: &[u8]) -> TestOutcome {
        self.net
            .test_run(program, frame, TestOptions::default())
            .expect("runs")
    }

    pub fn count(&self, counter: u32) -> u64 {
        self.maps().counters.get(counter).expect("reads")
    }

    /// The frame is dropped for this reason, counted once, and nothing else is counted.
    #[track_caller]
    pub fn refuses(&mut self, frame: &[u8], counter: u32, what: &str) {
        let before = self.maps().counters.all().expect("reads");
        assert_eq!(self.comes(frame).0, Verdict::Drop, "{what}");
        let after = self.maps().counters.all().expect("reads");
        for (index, (before, after)) in (0..).zip(before.into_iter().zip(after)) {
            let more = u64::from(index == counter);
            assert_eq!(after.1, before.1 + more, "{what}: {}", after.0);
        }
    }

    /// What has been said over the member's lane, all CPUs together.
    pub fn said(&self, lane: u32) -> PeerStats {
        let index = peer_lane(PEER.into(), lane);
        let cpus = self.maps().peer_stats.get(index).expect("reads");
        cpus.iter()
            .fold(PeerStats::default(), |sum, cpu| PeerStats {
                in_packets: sum.in_packets + cpu.in_packets,
                in_bytes: sum.in_bytes + cpu.in_bytes,
                out_packets: sum.out_packets + cpu.out_packets,
                out_bytes: sum.out_bytes + cpu.out_bytes,
            })
    }
}

/// Where the member is on the wire, and everybody else: test runs play on the loopback, whose
/// address is zero, and frames to another are not for us.
const fn mac(node: u8) -> [u8; 6] {
    if node == PEER {
        [2, 0, 0, 0, 0, node]
    } else {
        [0; 6]
    }
}

/// `CLOCK_BOOTTIME` in nanoseconds.
pub fn now() -> u64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    u64::try_from(time.tv_sec * 1_000_000_000 + time.tv_nsec).expect("after boot")
}

/// A probe of the member to us with the current key, tagged.
pub fn good(nonce: u64) -> Probe {
    tagged(Probe {
        magic: MAGIC,
        version: VERSION,
        kind: kind::PROBE,
        key_id: 20,
        from: PEER.into(),
        to: US.into(),
        from_incarnation: PEERS_LIFE,
        to_incarnation: OUR_LIFE,
        nonce,
        epoch: 33,
        ..Probe::default()
    })
}

/// The probe with the right tag.
pub fn tagged(probe: Probe) -> Probe {
    let id = u32::from(probe.key_id);
    let key = KEYS.iter().find(|key| key.id == id).unwrap_or(&KEYS[0]);
    Probe {
        tag: probe.expected_tag(key.k0, key.k1),
        ..probe
    }
}
