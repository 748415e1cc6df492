//! Frames a second on a wire: veth, native XDP, live frames.
//!
//! Everything happens on one CPU and is paid for there: the generator's program, the
//! redirect, the receiving NAPI with the packet path, the way back and the sink. What that
//! costs without the packet path is measured in the same rounds: frames that are made and
//! not sent, frames dropped at arrival, and frames bounced back (`XDP_TX`), which is the
//! least that forwarding can be.
//!
//! Time is the kernel's own, of its loop over the batches of a run; the time of the system
//! call has waits for RCU in it that are longer than sending 100,000 frames. Softirqs run
//! in that loop, at the end of each batch, so when it ends everything has arrived; a sample
//! of which more than a little has not is none.

use std::net::IpAddr;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use nix::sched::{CloneFlags, unshare};
use ssi_api::lvs::{Method, Scheduler};
use ssi_loader::{Drive, Driven, Helper, Mode, Net, Sender};

use crate::cables::Cable;
use crate::measure::{Base, Better, MPPS, Row, Section};
use crate::packet::fill;
use crate::packet::frame::{Flows, segment};
use crate::packet::rig::{self, Service, Way};
use crate::progress::Progress;
use crate::quiet::Quiet;

/// How much is measured.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Options {
    pub(crate) rounds: usize,
    /// Frames of one sample.
    pub(crate) frames: u32,
}

/// Frames that the kernel makes at once; 64 is its own default.
const BATCH: u32 = 64;
/// Part of the frames that has to have arrived for a sample to count.
const ARRIVE: f64 = 0.99;
/// How long frames may be on their way.
const LATE: Duration = Duration::from_millis(100);
/// How often a sample is taken again that does not count. Where the machine's CPUs are
/// shared, one may stand still for so long that a queue of 256 frames runs over.
const ATTEMPTS: usize = 5;

/// One row.
struct Case {
    name: &'static str,
    on: On,
    /// Which service's address.
    vip: u8,
    syn: bool,
    flows: Flows,
}

/// What a frame meets at the far end of its cable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum On {
    Bounce,
    /// It is counted, and dropped.
    Drop,
    /// It is not even sent.
    Nowhere,
    Net,
    /// A packet path of its own: new flows push old ones out of the table.
    NetOfNews,
}

const CASES: [Case; 11] = [
    case("bounced, no packet path", On::Bounce, 1, Flows::One),
    case("dropped at arrival", On::Drop, 1, Flows::One),
    case("made, not sent", On::Nowhere, 1, Flows::One),
    case("direct, rr, 1 flow", On::Net, 1, Flows::One),
    case("direct, rr, 64K flows", On::Net, 1, Flows::Many),
    case("direct, slot, 1 flow", On::Net, 2, Flows::One),
    case("direct, slot, 64K flows", On::Net, 2, Flows::Many),
    case("IPIP, rr, 1 flow", On::Net, 3, Flows::One),
    case("IPIP, rr, 64K flows", On::Net, 3, Flows::Many),
    case("NAT, rr, 64K flows", On::Net, 4, Flows::Many),
    Case {
        syn: true,
        ..case("new, direct, rr, full table", On::NetOfNews, 1, Flows::New)
    },
];

const fn case(name: &'static str, on: On, vip: u8, flows: Flows) -> Case {
    Case {
        name,
        on,
        vip,
        syn: false,
        flows,
    }
}

/// Measures in a network namespace of its own, which goes with the thread.
pub(crate) fn run(options: Options, progress: &Progress) -> Result<Vec<Section>> {
    thread::scope(|scope| {
        let work = scope.spawn(|| {
            unshare(CloneFlags::CLONE_NEWNET).context("cannot make a network namespace")?;
            measure(options, progress)
        });
        work.join()
            .unwrap_or_else(|_| Err(anyhow!("measuring on the wire panicked")))
    })
}

struct Bench {
    drive: Drive,
    _net: Net,
    news: Net,
    cables: [(On, Cable); 4],
}

fn measure(options: Options, progress: &Progress) -> Result<Vec<Section>> {
    progress.says("laying cables");
    let mut bench = Bench::set_up()?;
    // Before ksoftirqd too: what that did with frames would be nobody's time.
    let _quiet = Quiet::take()?;
    progress.says("opening connections, filling the table");
    fill(&mut bench.drive, &mut bench.news, vip(1))?;
    for case in CASES.iter().filter(|case| case.flows != Flows::New) {
        bench.open_flows(case)?;
    }
    progress.begin(options.rounds * CASES.len(), "wire");
    let mut samples = CASES.map(|_| Vec::<f64>::new());
    for _ in 0..options.rounds {
        for (case, samples) in CASES.iter().zip(&mut samples) {
            samples.push(bench.sample(case, options.frames)?);
            progress.step(case.name);
        }
    }
    let rows = CASES.iter().zip(samples).map(|(case, samples)| Row {
        name: case.name.to_owned(),
        samples: samples.into_iter().collect(),
        bar: None,
        latency: None,
        errors: 0,
    });
    Ok(vec![Section {
        name: "wire",
        about: "frames of 80 bytes through veth and native XDP, out and back, everything on one \
                CPU: making and sending them, the packet path, counting what comes back"
            .to_owned(),
        unit: MPPS,
        better: Better::More,
        base: Base::First,
        rows: rows.collect(),
    }])
}

impl Bench {
    fn set_up() -> Result<Self> {
        let mut drive = Drive::open()?;
        let [bounce, drop, path, news] = [0, 1, 2, 3].map(Cable::lay);
        let (bounce, drop, path, news) = (bounce?, drop?, path?, news?);
        drive.attach(Helper::Bounce, &bounce.far)?;
        // What comes back is counted; and a veth takes frames by XDP_TX only from a peer
        // that has a program.
        for end in [&drop.far, &bounce.near, &path.near, &news.near] {
            drive.attach(Helper::Sink, end)?;
        }
        Ok(Self {
            drive,
            _net: packet_path(&path)?,
            news: packet_path(&news)?,
            cables: [
                (On::Bounce, bounce),
                (On::Drop, drop),
                (On::Net, path),
                (On::NetOfNews, news),
            ],
        })
    }

    /// Opens a case's connections, so that its frames find them.
    fn open_flows(&mut self, case: &Case) -> Result<()> {
        let count = case.flows.mask().saturating_add(1).max(BATCH);
        for syn in [true, false] {
            self.send(case, syn, count)?;
        }
        Ok(())
    }

    fn send(&mut self, case: &Case, syn: bool, count: u32) -> Result<Driven> {
        let (frame, plan) = segment(vip(case.vip), syn, case.flows)?;
        self.drive.plan(&plan)?;
        let mut sender = Sender::Discard;
        if case.on != On::Nowhere {
            let cable = self.cables.iter().find(|(on, _)| *on == case.on);
            let (_, cable) = cable.context("a cable for each")?;
            self.drive.aim_at(cable.near_index)?;
            sender = Sender::Generate;
        }
        Ok(self.drive.send(sender, &frame, count, BATCH)?)
    }

    /// Millions of frames a second.
    fn sample(&mut self, case: &Case, frames: u32) -> Result<f64> {
        let mut arrived = 0;
        for _ in 0..ATTEMPTS {
            let before = self.drive.sunk()?;
            let driven = self.send(case, case.syn, frames)?;
            arrived = self.drive.sunk()? - before;
            if case.on == On::Nowhere || arrived as f64 >= f64::from(frames) * ARRIVE {
                return Ok(1e3 / driven.duration.as_nanos() as f64);
            }
            // What is still on its way is not the next sample's.
            thread::sleep(LATE);
        }
        bail!(
            "{}: {arrived} of {frames} frames came back, and {ATTEMPTS} attempts went no better",
            case.name
        )
    }
}

/// Loads a packet path and puts it at the far end of a cable.
fn packet_path(cable: &Cable) -> Result<Net> {
    let way = Way {
        ifindex: cable.far_index,
        own_mac: [2, 0, 0, 0, 8, 1],
        next_hop: [2, 0, 0, 0, 9, 1],
    };
    let mut net = rig::open(&services(), way)?;
    net.attach(&cable.far, Mode::Native)?;
    // That has noted the interface's own address, which no frame of ours is for.
    rig::is_at(&net, cable.far_index)?;
    Ok(net)
}

fn vip(number: u8) -> IpAddr {
    [10, 88, 0, number].into()
}

fn services() -> Vec<Service> {
    [
        (1, Scheduler::Rr, Method::Route),
        (2, Scheduler::Slot, Method::Route),
        (3, Scheduler::Rr, Method::Tunnel),
        (4, Scheduler::Rr, Method::Masq),
    ]
    .map(|(number, scheduler, method)| Service {
        vip: vip(number),
        scheduler,
        method,
        servers: 4,
    })
    .to_vec()
}
