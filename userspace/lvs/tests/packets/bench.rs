//! The packet path in the kernel, and cases run through it.

use std::any::Any;

use ssi_abi::conn::{Conn4, Conn6};
use ssi_abi::flow::{Flow, Set};
use ssi_abi::fragment::Fragment;
use ssi_abi::link::{self, Link};
use ssi_abi::settings::Settings;
use ssi_abi::stats::Stats;
use ssi_abi::{counter, filter};
use ssi_api::lvs::{Command, ServiceName};
use ssi_loader::map::{Held, Maps};
use ssi_loader::{Net, Options, Program, Sizes, TestOptions, TestOutcome, kernel};
use ssi_lvs::core::{Model, Step, Tuning, Write};
use ssi_lvs::runner::install;

use crate::case::{Entry, Verdict, Way};
use crate::topology::{INSIDE_MAC, Interfaces, OUTSIDE_MAC, Real};
use crate::world::{ServerDef, World};

/// Entries of the scheduling tables: room for a slot table and its successor.
const TABLE: u32 = 1 << 19;
/// For how many seconds copies hold: much longer than elsewhere, so that what a case sees
/// doesn't hang on how fast it is.
pub const COPIES: u32 = 50;
/// Key of the flow hashes.
pub const SEED: u64 = 0x5eed;

/// The loaded packet path.
pub struct Bench {
    pub net: Net,
    pub held: Held,
    pub interfaces: Interfaces,
    pub model: Model,
}

/// The packet path, configured for one case. Everything goes with it when it is dropped.
pub struct Stage<'a> {
    pub bench: &'a mut Bench,
    pub world: World,
    /// Sockets of the case.
    pub sockets: Vec<Box<dyn Any>>,
    filtered: Vec<u32>,
}

impl Bench {
    pub fn open(interfaces: Interfaces) -> Self {
        let sizes = Sizes {
            conns4: 1024,
            conns6: 1024,
            table_entries: TABLE,
        };
        let mut net = Net::open(&Options { pins: None, sizes }).expect("loads");
        let held = net.take_held().expect("it was not taken");
        let model = Model::new(Tuning {
            seed: SEED,
            hz: kernel::hz(),
            table_entries: TABLE,
            node: 1,
        });
        let settings = Settings {
            copies: COPIES * kernel::hz(),
            ..model.settings()
        };
        net.maps().settings.set(0, &settings).expect("writes");
        for (ifindex, mac) in [
            (interfaces.outside, OUTSIDE_MAC),
            (interfaces.inside, INSIDE_MAC),
        ] {
            let link = Link {
                ifindex,
                mac,
                pad: 0,
            };
            let links = &net.maps().links;
            links.set(link::place(ifindex), &link).expect("writes");
        }
        Self {
            net,
            held,
            interfaces,
            model,
        }
    }

    pub fn maps(&self) -> &Maps {
        self.net.maps()
    }

    /// Configures the world.
    pub fn stage(&mut self, world: World) -> Stage<'_> {
        let environment = world.environment(&self.interfaces);
        let mut writes = self.model.set_environment(environment);
        let commands = self.model.apply(&world.commands());
        writes.extend(commands.expect("the world is legal"));
        for peer in &world.peers {
            self.maps()
                .peers
                .insert(&(*peer).into(), &2)
                .expect("writes");
        }
        self.install(writes);
        Stage {
            bench: self,
            world,
            sockets: Vec::new(),
            filtered: Vec::new(),
        }
    }

    fn install(&self, writes: Vec<Write>) {
        install(self.maps(), writes).expect("the kernel takes what the core decided");
    }

    /// Runs a program on a frame.
    pub fn run(&mut self, entry: Entry, way: Way, frame: &[u8]) -> TestOutcome {
        let program = match (entry, way) {
            (_, Way::Leaving) => Program::Egress,
            (Entry::Xdp, _) => Program::Xdp,
            (Entry::Tc, _) => Program::Tc,
        };
        let ifindex = match way {
            Way::Outside => self.interfaces.outside,
            Way::Inside | Way::Leaving => self.interfaces.inside,
        };
        let options = TestOptions { repeat: 1, ifindex };
        self.net.test_run(program, frame, options).expect("runs")
    }

    /// Every counter.
    pub fn counters(&self) -> Vec<u64> {
        let all = self.maps().counters.all().expect("reads");
        assert_eq!(all.len(), counter::NAMES.len());
        all.into_iter().map(|(_, count)| count).collect()
    }
}

/// What a program's number means (`uapi/linux/bpf.h`, `uapi/linux/pkt_cls.h`).
pub fn meaning(entry: Entry, way: Way, verdict: u32) -> Result<Verdict, u32> {
    const XDP_DROP: u32 = 1;
    const XDP_PASS: u32 = 2;
    const XDP_TX: u32 = 3;
    const XDP_REDIRECT: u32 = 4;
    const TC_ACT_OK: u32 = 0;
    const TC_ACT_SHOT: u32 = 2;
    const TC_ACT_REDIRECT: u32 = 7;
    match (entry, way, verdict) {
        (_, Way::Leaving, TC_ACT_OK) | (Entry::Tc, _, TC_ACT_OK) => Ok(Verdict::Pass),
        (_, Way::Leaving, other) => Err(other),
        (Entry::Tc, _, TC_ACT_SHOT) => Ok(Verdict::Drop),
        (Entry::Tc, _, TC_ACT_REDIRECT) => Ok(Verdict::Out),
        (Entry::Xdp, _, XDP_PASS) => Ok(Verdict::Pass),
        (Entry::Xdp, _, XDP_DROP) => Ok(Verdict::Drop),
        (Entry::Xdp, _, XDP_TX) => Ok(Verdict::Back),
        (Entry::Xdp, _, XDP_REDIRECT) => Ok(Verdict::Out),
        (.., other) => Err(other),
    }
}

/// One record of all CPUs.
pub fn sum(cpus: &[Stats]) -> [u64; 5] {
    cpus.iter().fold([0; 5], |sum, cpu| {
        let Stats {
            connections,
            in_packets,
            in_bytes,
            out_packets,
            out_bytes,
        } = *cpu;
        let add = [connections, in_packets, in_bytes, out_packets, out_bytes];
        std::array::from_fn(|i| sum[i] + add[i])
    })
}

impl Stage<'_> {
    /// Carries out commands.
    pub fn apply(&mut self, commands: &[Command]) {
        let writes = self
            .bench
            .model
            .apply(commands)
            .expect("the case's commands are legal");
        self.bench.install(writes);
    }

    pub fn first_service(&self) -> ServiceName {
        self.world.services[0].name
    }

    /// A server of the first service.
    pub fn server(&self, real: Real) -> ServerDef {
        let servers = &self.world.services[0].servers;
        *servers
            .iter()
            .find(|server| server.real == real)
            .expect("the case has this server")
    }

    pub fn add(&mut self, server: ServerDef) {
        let mut environment = self.bench.model.environment().clone();
        server.tell(&mut environment, &self.bench.interfaces);
        let writes = self.bench.model.set_environment(environment);
        self.bench.install(writes);
        let service = self.first_service();
        let (name, spec) = (server.name(&service), server.spec());
        self.apply(&[Command::AddServer {
            service,
            server: name,
            spec,
        }]);
        self.world.services[0].servers.push(server);
    }

    pub fn weight(&mut self, real: Real, weight: u32) {
        let (service, server) = (self.first_service(), self.server(real).weight(weight));
        let (name, spec) = (server.name(&service), server.spec());
        self.apply(&[Command::EditServer {
            service,
            server: name,
            spec,
        }]);
    }

    pub fn directed_elsewhere(&mut self) {
        let ServiceName::Address { addr, .. } = self.first_service() else {
            panic!("it has no address of its own");
        };
        let mut environment = self.bench.model.environment().clone();
        environment.cvips.insert(addr, false);
        let writes = self.bench.model.set_environment(environment);
        self.bench.install(writes);
    }

    pub fn remove(&mut self, real: Real) {
        let (service, server) = (self.first_service(), self.server(real));
        self.apply(&[Command::DeleteServer {
            service,
            server: server.name(&service),
        }]);
    }

    pub fn down(&mut self, real: Real) {
        let model = &mut self.bench.model;
        let mut absent = model.absent().clone();
        absent.down.insert(real.addr);
        let (writes, _) = model.step(&Step {
            epoch: model.epoch() + 1,
            absent,
            told: Vec::new(),
        });
        self.bench.install(writes);
    }

    /// Lets userspace find that the server has more connections than its threshold.
    pub fn overload(&mut self, real: Real) {
        let (service, server) = (self.first_service(), self.server(real));
        let mut spec = server.spec();
        spec.upper = 1;
        self.apply(&[Command::EditServer {
            service,
            server: server.name(&service),
            spec,
        }]);
        let counts = [(self.index(real) as u16, (2, 0))].into();
        let writes = self.bench.model.set_connections(&counts);
        self.bench.install(writes);
    }

    /// The index of a server of the first service.
    pub fn index(&self, real: Real) -> u32 {
        let service = self
            .bench
            .model
            .service_index(&self.first_service())
            .expect("it is there");
        let port = self.server(real).port.map_or(0, u16::to_be);
        let is_it = |index: &u32| {
            let record = self.bench.maps().servers.get(*index).expect("reads");
            record.service == service
                && record.addr == real.addr.into()
                && (port == 0 || record.port == port)
        };
        (1..64).find(is_it).expect("the core installed it")
    }

    /// Makes everything remembered older.
    pub fn age(&self, seconds: u32) {
        let (maps, jiffies) = (self.bench.maps(), seconds * kernel::hz());
        for (key, conn) in maps.conns4.dump().expect("reads") {
            let conn = Conn4 {
                seen: conn.seen.wrapping_sub(jiffies),
                ..conn
            };
            maps.conns4.insert(&key, &conn).expect("writes");
        }
        for (key, conn) in maps.conns6.dump().expect("reads") {
            let conn = Conn6 {
                seen: conn.seen.wrapping_sub(jiffies),
                ..conn
            };
            maps.conns6.insert(&key, &conn).expect("writes");
        }
        self.flows(|flow| older(flow, jiffies));
        for (key, fragment) in maps.fragments.dump().expect("reads") {
            let fragment = Fragment {
                seen: fragment.seen.wrapping_sub(jiffies),
                ..fragment
            };
            maps.fragments.insert(&key, &fragment).expect("writes");
        }
    }

    /// Changes every flow that the cache has.
    fn flows(&self, change: impl Fn(Flow) -> Flow) {
        let flows = &self.bench.maps().flows4;
        for (at, set) in (0..).zip(flows.dump().expect("reads")) {
            let changed = Set {
                flows: set.flows.map(&change),
                ..set
            };
            if changed != set {
                flows.set(at, &changed).expect("writes");
            }
        }
    }

    /// Empties the connection tables. The flow cache keeps what it has.
    pub fn push_out(&self) {
        let maps = self.bench.maps();
        for (key, _) in maps.conns4.dump().expect("reads") {
            maps.conns4.remove(&key).expect("removes");
        }
        for (key, _) in maps.conns6.dump().expect("reads") {
            maps.conns6.remove(&key).expect("removes");
        }
    }

    /// Adds bits to the filter's word of an address.
    pub fn filter_bits(&mut self, addr: ssi_abi::Addr, bits: u32) {
        let (maps, word) = (self.bench.maps(), filter::word(&addr));
        let old = maps.addrs.get(word).expect("reads");
        maps.addrs.set(word, &(old | bits)).expect("writes");
        self.filtered.push(word);
    }
}

/// A flow of the cache as if it had been written earlier.
fn older(flow: Flow, jiffies: u32) -> Flow {
    let said = Flow::say(
        Flow::server(flow.said),
        Flow::seen(flow.said).wrapping_sub(jiffies),
    );
    if flow.said == 0 {
        return flow;
    }
    let sealed = flow.sealed.map(|word| word ^ flow.said ^ said);
    Flow { said, sealed }
}

impl Drop for Stage<'_> {
    fn drop(&mut self) {
        let writes = self
            .bench
            .model
            .apply(&[Command::Clear])
            .expect("always legal");
        self.bench.install(writes);
        self.bench.model.part();
        self.push_out();
        self.flows(|_| Flow::default());
        let maps = self.bench.maps();
        for (key, _) in maps.fragments.dump().expect("reads") {
            maps.fragments.remove(&key).expect("removes");
        }
        for (key, _) in maps.peers.dump().expect("reads") {
            maps.peers.remove(&key).expect("removes");
        }
        for word in &self.filtered {
            maps.addrs.set(*word, &0).expect("writes");
        }
        while self.bench.held.take().is_some() {}
    }
}
