//! Frames a second on a wire: veth, native XDP, live frames.
//!
//! Everything happens on one CPU and is paid for there: the generator's program, the
//! redirect, the receiving NAPI with the packet path, the way back and the sink. What that
//! costs without the packet path is measured in the same rounds: frames dropped at arrival,
//! and frames bounced back (`XDP_TX`), which is the least that forwarding can be.

mod cables;

use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail};
use nix::sched::{CloneFlags, unshare};
use ssi_api::lvs::{Method, Scheduler};
use ssi_loader::{Drive, Helper, Mode, Net, Sender};

use crate::measure::{Base, Better, Row, Section};
use crate::packet::frame::{Flows, segment};
use crate::packet::rig::{self, Service, Way};
use crate::progress::Progress;
use crate::quiet::Quiet;
use cables::Cable;

/// How much is measured.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Options {
    pub(crate) rounds: usize,
    /// Frames of one sample.
    pub(crate) frames: u32,
}

/// Frames that the kernel makes at once; 64 is its own default.
const BATCH: u32 = 64;
/// How long frames may still be on their way after the last was sent.
const LATE: Duration = Duration::from_millis(500);
/// Part of the frames that has to arrive for a sample to count.
const ARRIVE: f64 = 0.99;

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
    Drop,
    Net,
    /// A packet path of its own: new flows push old ones out of the table.
    NetOfNews,
}

const CASES: [Case; 9] = [
    case("bounced, no packet path", On::Bounce, 1, Flows::One),
    case("dropped at arrival", On::Drop, 1, Flows::One),
    case("direct, rr, 1 flow", On::Net, 1, Flows::One),
    case("direct, rr, 64K flows", On::Net, 1, Flows::Many),
    case("direct, slot, 64K flows", On::Net, 2, Flows::Many),
    case("IPIP, rr, 1 flow", On::Net, 3, Flows::One),
    case("IPIP, rr, 64K flows", On::Net, 3, Flows::Many),
    case("NAT, rr, 64K flows", On::Net, 4, Flows::Many),
    Case {
        syn: true,
        ..case("new flow each, direct, rr", On::NetOfNews, 1, Flows::New)
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
    _nets: [Net; 2],
    cables: [(On, Cable); 4],
}

fn measure(options: Options, progress: &Progress) -> Result<Vec<Section>> {
    progress.says("laying cables");
    let mut bench = Bench::set_up()?;
    // Not before ksoftirqd: frames would pile up, and be lost.
    let _quiet = Quiet::pin()?;
    for case in CASES.iter().filter(|case| case.flows != Flows::New) {
        bench.open_flows(case)?;
    }
    progress.begin(options.rounds * CASES.len(), "wire");
    let mut samples = CASES.map(|_| Vec::new());
    for _ in 0..options.rounds {
        for (case, samples) in CASES.iter().zip(&mut samples) {
            samples.push(bench.sample(case, options.frames)?);
            progress.step(case.name);
        }
    }
    let rows = CASES.iter().zip(samples).map(|(case, samples)| Row {
        name: case.name.to_owned(),
        samples,
        bar: None,
        latency: None,
        errors: 0,
    });
    Ok(vec![Section {
        name: "wire",
        about: "frames of 80 bytes through veth and native XDP, everything on one CPU; 1 Mpps \
                is 1,000 ns a frame"
            .to_owned(),
        unit: "Mpps",
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
        drive.attach(Helper::Drop, &drop.far)?;
        // What comes back is counted here; and a veth takes frames by XDP_TX only from a
        // peer that has a program.
        for cable in [&bounce, &path, &news] {
            drive.attach(Helper::Sink, &cable.near)?;
        }
        Ok(Self {
            drive,
            _nets: [packet_path(&path)?, packet_path(&news)?],
            cables: [
                (On::Bounce, bounce),
                (On::Drop, drop),
                (On::Net, path),
                (On::NetOfNews, news),
            ],
        })
    }

    fn open_flows(&mut self, case: &Case) -> Result<()> {
        let count = case.flows.mask().saturating_add(1).max(BATCH);
        for syn in [true, false] {
            self.send(case, syn, count)?;
        }
        Ok(())
    }

    fn send(&mut self, case: &Case, syn: bool, count: u32) -> Result<()> {
        let (frame, plan) = segment([10, 88, 0, case.vip].into(), syn, case.flows)?;
        let (_, cable) = self
            .cables
            .iter()
            .find(|(on, _)| *on == case.on)
            .context("a cable for each")?;
        self.drive.plan(&plan)?;
        self.drive.aim_at(cable.near_index)?;
        Ok(self.drive.send(Sender::Generate, &frame, count, BATCH)?)
    }

    /// Millions of frames a second.
    fn sample(&mut self, case: &Case, frames: u32) -> Result<f64> {
        let before = self.drive.sunk()?;
        let start = Instant::now();
        self.send(case, case.syn, frames)?;
        let mut took = start.elapsed();
        let wanted = (f64::from(frames) * ARRIVE) as u64;
        // Nobody counts what is dropped at arrival.
        while case.on != On::Drop && self.drive.sunk()? - before < wanted {
            took = start.elapsed();
            if took > LATE + Duration::from_secs(10) {
                bail!(
                    "{}: {} of {frames} frames came back",
                    case.name,
                    self.drive.sunk()? - before
                );
            }
            thread::sleep(Duration::from_millis(1));
        }
        Ok(f64::from(frames) / took.as_secs_f64() / 1e6)
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
    Ok(net)
}

fn services() -> Vec<Service> {
    [
        (1, Scheduler::Rr, Method::Route),
        (2, Scheduler::Slot, Method::Route),
        (3, Scheduler::Rr, Method::Tunnel),
        (4, Scheduler::Rr, Method::Masq),
    ]
    .map(|(number, scheduler, method)| Service {
        vip: [10, 88, 0, number].into(),
        scheduler,
        method,
        servers: 4,
    })
    .to_vec()
}
