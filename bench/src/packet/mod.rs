//! Nanoseconds a packet, under `BPF_PROG_TEST_RUN`.
//!
//! A run does not restore the packet, and a program that is run again works on its own
//! output. So a driver program makes the frame anew each time, with its length and flow,
//! and tail-calls the packet path. What the driver costs by itself is measured in the same
//! rounds and taken off: *net* is the packet path alone. A tunnel is charged one
//! `bpf_xdp_adjust_head` less, because the driver's own, which takes the outer header off
//! again, is no part of it.

mod cases;
mod count;
pub(crate) mod frame;
pub(crate) mod rig;

use std::net::IpAddr;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use ssi_loader::{Drive, Helper, Net, Subject};

use crate::measure::{Bar, Base, Better, Row, Samples, Section};
use crate::progress::Progress;
use crate::quiet::Quiet;
use cases::{BAR_EMPTY, Case};
use count::Count;
use frame::{Flows, segment};
use rig::{SHARE, Way};

/// Longer than a jiffy, however few of them a second has.
const TICK: Duration = Duration::from_millis(20);

/// How much is measured.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Options {
    pub rounds: usize,
    /// Packets of one sample.
    pub repeat: u32,
}

/// Lowest cost of the driver without the packet path, nanoseconds.
#[derive(Clone, Copy, Debug)]
struct Floors {
    /// The empty program alone.
    empty: f64,
    /// The driver, with frames of one flow.
    one: f64,
    /// The driver, with frames of many.
    many: f64,
    /// The driver, and making room for an outer header in the program under test.
    grow: f64,
}

impl Floors {
    const NONE: Self = Self {
        empty: f64::INFINITY,
        one: f64::INFINITY,
        many: f64::INFINITY,
        grow: f64::INFINITY,
    };

    /// What a case's raw figure has in it that isn't the packet path's.
    fn of(&self, case: &Case) -> f64 {
        let driver = match case.flows {
            Flows::One => self.one,
            Flows::Many | Flows::Quiet | Flows::New => self.many,
        };
        // Growing and shrinking are the same helper; both are in `grow`, one is the
        // packet path's own.
        let shrink = if case.grows() {
            ((self.grow - self.one) / 2.0).max(0.0)
        } else {
            0.0
        };
        driver + shrink
    }
}

/// The cases, and their packet path: hits must not lose their connections to new flows.
struct Stage {
    net: Net,
    cases: Vec<Case>,
    raw: Vec<Vec<f64>>,
}

/// Measures everything; established connections and new ones are a section each.
pub(crate) fn run(options: Options, progress: &Progress) -> Result<Vec<Section>> {
    let way = Way {
        // The loopback is where test runs come from, so this is XDP_TX.
        ifindex: 1,
        own_mac: [2, 0, 0, 0, 8, 1],
        next_hop: [2, 0, 0, 0, 9, 1],
    };
    progress.says("loading the packet path");
    let mut drive = Drive::open()?;
    let mut stages = Vec::new();
    for cases in [cases::hits(), cases::news()] {
        stages.push(Stage {
            net: rig::open(&cases::services(&cases), way)?,
            raw: vec![Vec::new(); cases.len()],
            cases,
        });
    }
    let _quiet = Quiet::take()?;
    progress.says("opening connections, filling the table");
    for stage in &mut stages {
        for case in &stage.cases {
            open_flows(&mut drive, &mut stage.net, case)?;
        }
    }
    let news = &mut stages[1];
    let vip = news.cases[0].vip;
    fill(&mut drive, &mut news.net, vip)?;
    let rows: usize = stages.iter().map(|stage| stage.cases.len()).sum();
    progress.begin(options.rounds * rows, "packets");
    let mut floors = Floors::NONE;
    for _ in 0..options.rounds {
        measure_floors(&mut drive, options.repeat, &mut floors)?;
        for stage in &mut stages {
            for (case, raw) in stage.cases.iter().zip(&mut stage.raw) {
                raw.push(measure(&mut drive, &mut stage.net, case, options.repeat)?);
                progress.step(case.name);
            }
        }
    }
    let [hits, news] = <[Stage; 2]>::try_from(stages)
        .ok()
        .context("there are two stages")?;
    Ok(vec![
        section("packet", "established connections", &hits, floors),
        section("new", "new connections", &news, floors),
    ])
}

fn measure_floors(drive: &mut Drive, repeat: u32, floors: &mut Floors) -> Result<()> {
    let vip = [10, 88, 0, 1].into();
    let (frame, plan) = segment(vip, false, Flows::One)?;
    drive.plan(&plan)?;
    let bare = drive.bare(Helper::Empty, &frame, repeat)?;
    lower(&mut floors.empty, bare.duration.as_nanos());
    drive.aim(Subject::Helper(Helper::Empty))?;
    lower(
        &mut floors.one,
        drive.run(&frame, repeat)?.duration.as_nanos(),
    );
    drive.aim(Subject::Helper(Helper::Grow))?;
    lower(
        &mut floors.grow,
        drive.run(&frame, repeat)?.duration.as_nanos(),
    );
    let (frame, plan) = segment(vip, false, Flows::Many)?;
    drive.plan(&plan)?;
    drive.aim(Subject::Helper(Helper::Empty))?;
    lower(
        &mut floors.many,
        drive.run(&frame, repeat)?.duration.as_nanos(),
    );
    Ok(())
}

fn lower(floor: &mut f64, nanoseconds: u128) {
    *floor = floor.min(nanoseconds as f64);
}

/// One sample, raw.
fn measure(drive: &mut Drive, net: &mut Net, case: &Case, repeat: u32) -> Result<f64> {
    let (frame, plan) = segment(case.vip, case.opens(), case.flows)?;
    let repeat = case.flows.packets(repeat);
    if case.flows == Flows::Quiet {
        // Until no copy of a connection holds any more.
        std::thread::sleep(Duration::from_secs(1) / ssi_abi::flow::HOLDS + TICK);
    }
    drive.plan(&plan)?;
    drive.aim(Subject::Net(net))?;
    let before = Count::read(net, case.vip)?;
    let driven = drive.run(&frame, repeat)?;
    if driven.verdict != case.verdict() {
        bail!(
            "{}: the packet path says {}, not {}: this would measure something else",
            case.name,
            driven.verdict,
            case.verdict()
        );
    }
    let packets = if case.service.is_some() { repeat } else { 0 };
    let connections = if case.opens() { repeat } else { 0 };
    Count::read(net, case.vip)?
        .check(&before, packets.into(), connections.into())
        .context(case.name)?;
    Ok(driven.duration.as_nanos() as f64)
}

/// Opens a case's connections, so that its packets find them.
fn open_flows(drive: &mut Drive, net: &mut Net, case: &Case) -> Result<()> {
    if case.opens() {
        return Ok(());
    }
    let rounds = case.flows.mask() + 1;
    drive.aim(Subject::Net(net))?;
    for syn in [true, false] {
        let (frame, plan) = segment(case.vip, syn, case.flows)?;
        drive.plan(&plan)?;
        drive.run(&frame, rounds)?;
    }
    Ok(())
}

/// Opens connections to a service, on this CPU, until each new one takes an old one's
/// place.
pub(crate) fn fill(drive: &mut Drive, net: &mut Net, vip: IpAddr) -> Result<()> {
    let (frame, plan) = segment(vip, true, Flows::New)?;
    drive.plan(&plan)?;
    drive.aim(Subject::Net(net))?;
    drive.run(&frame, SHARE * 5 / 2)?;
    count::is_full(net, SHARE)
}

fn section(name: &'static str, what: &str, stage: &Stage, floors: Floors) -> Section {
    let scale = floors.empty / BAR_EMPTY;
    let opens = stage.cases.iter().all(Case::opens);
    let row = |(case, raw): (&Case, &Vec<f64>)| {
        let floor = floors.of(case);
        Row {
            name: case.name.to_owned(),
            samples: Samples {
                values: raw.iter().map(|raw| raw - floor).collect(),
                floor: Some(floor),
            },
            bar: case.bar.map(|value| Bar::AtMost {
                value,
                scaled: value * scale,
            }),
            latency: None,
            errors: 0,
        }
    };
    Section {
        name,
        about: format!(
            "{what}, XDP under BPF_PROG_TEST_RUN, net of the driver. Floors: empty program \
             {:.0} ns, driver {:.0} ns, driver with changing flows {:.0} ns, with room made for \
             an outer header {:.0} ns; tables of {SHARE} connections a CPU. Every packet was \
             counted: {}. A bar in brackets is scaled by empty/{BAR_EMPTY:.0}",
            floors.empty,
            floors.one,
            floors.many,
            floors.grow,
            if opens {
                "forwarded (XDP_TX) as a new connection"
            } else {
                "forwarded (XDP_TX) without a new connection, or left alone (XDP_PASS) where \
                 none of ours"
            }
        ),
        unit: "ns/packet",
        better: Better::Less,
        base: Base::None,
        rows: stage.cases.iter().zip(&stage.raw).map(row).collect(),
    }
}
